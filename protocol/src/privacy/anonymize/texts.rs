//! What a text of any kind says of hosts and persons: URLs (RFC 3986; RFC 7064 and 7065 for those of STUN and TURN), addresses of mail and
//! of XMPP, IP addresses.

use std::borrow::Cow;

use super::super::obfuscate_text;
use super::stand_ins::{Class, StandIns};

/// Schemes whose host follows without slashes.
const OF_ICE: [&str; 4] = ["stun:", "stuns:", "turn:", "turns:"];

/// Stand-ins for what a text names. With `addresses`, IP addresses lose their hosts, too.
pub(super) fn without_names<'t>(text: &'t str, addresses: bool, stand_ins: &mut StandIns) -> Cow<'t, str> {
    let is_between = |character: char| character.is_whitespace() || matches!(character, '"' | '<' | '>' | '`');
    let mut out = String::new();
    let mut copied = 0;
    let mut rest = 0;
    while let Some(length) = text.get(rest..).and_then(|tail| tail.find(|character| !is_between(character))) {
        let start = rest + length;
        let word = text.get(start..).unwrap_or_default();
        let word = word.get(..word.find(is_between).unwrap_or(word.len())).unwrap_or_default();
        rest = start + word.len();
        if let Some(after) = word_without_names(word, addresses, stand_ins).filter(|after| after != word) {
            out.push_str(text.get(copied..start).unwrap_or_default());
            out.push_str(&after);
            copied = rest;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

fn word_without_names(word: &str, addresses: bool, stand_ins: &mut StandIns) -> Option<String> {
    let end = word.trim_end_matches(['.', ',', ';', '!', '?', ')', ']', '}', '\'']).len();
    if let Some((start, scheme)) = scheme_in(word) {
        // The end of a sentence is no part of it, that of an address in brackets is.
        let end = end + usize::from(word.get(end..).is_some_and(|tail| tail.starts_with(']')));
        let url = word.get(start..end).filter(|url| url.len() > scheme).unwrap_or_default();
        let (scheme, hierarchy) = url.split_at_checked(scheme)?;
        let url = url_without_names(&scheme.to_ascii_lowercase(), hierarchy, stand_ins);
        return Some(format!("{}{url}{}", word.get(..start)?, word.get(end..)?));
    }
    if let Some(mailbox) = word.get(..end).and_then(|word| mailbox_without_names(word, stand_ins)) {
        return Some(mailbox + word.get(end..)?);
    }
    match obfuscate_text(word) {
        Cow::Owned(hidden) if addresses && !is_product(word) => Some(hidden),
        _ => None,
    }
}

/// Where a URL begins, and how long its scheme is, with what stands between that and the host.
fn scheme_in(word: &str) -> Option<(usize, usize)> {
    let before = |end: usize, is_part: fn(char) -> bool| {
        word.get(..end).map_or(end, |before| before.trim_end_matches(is_part).len())
    };
    if let Some(colon) = word.find("://") {
        let start = before(colon, |part| part.is_ascii_alphanumeric() || matches!(part, '+' | '-' | '.'));
        return (start < colon).then_some((start, colon + "://".len() - start));
    }
    let lower = word.to_ascii_lowercase();
    OF_ICE.iter().find_map(|scheme| {
        let (start, _) =
            lower.match_indices(scheme).find(|(start, _)| before(*start, |part| part.is_alphanumeric()) == *start)?;
        Some((start, scheme.len()))
    })
}

/// A URL: its scheme, its port, of a script its line and column, of a TURN server its transport; stand-ins for its host and path.
fn url_without_names(scheme: &str, hierarchy: &str, stand_ins: &mut StandIns) -> String {
    let (rest, query) = match hierarchy.split_once('?') {
        Some((rest, query)) if !rest.contains('#') => (rest, query),
        _ => (hierarchy.split('#').next().unwrap_or_default(), hierarchy),
    };
    let authority = rest.split(['/', '\\']).next().unwrap_or_default();
    let path = rest.get(authority.len()..).unwrap_or_default();
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host_and_port.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (host_and_port, None),
    };
    let mut out = scheme.to_owned();
    match host {
        "localhost" | "127.0.0.1" | "[::1]" => out.push_str(host),
        _ => out.push_str(&stand_ins.of(Class::Host, &host.to_ascii_lowercase())),
    }
    if let Some(port) = port {
        out.push(':');
        out.push_str(port);
    }
    let (path, place) = path.split_at(path.len() - place_in_script(path));
    out.push_str(&path_without_names(path, stand_ins));
    out.push_str(place);
    match query.split_once('=') {
        Some(("transport", "udp" | "tcp")) if is_of_ice(scheme) => {
            out.push('?');
            out.push_str(query);
        }
        _ if query.len() < hierarchy.len() && place.is_empty() => {
            out.push_str(query.get(query.len() - place_in_script(query)..).unwrap_or_default());
        }
        _ => {}
    }
    out
}

fn is_of_ice(scheme: &str) -> bool {
    OF_ICE.contains(&scheme.trim_end_matches('/'))
}

/// A path without its query.
pub(super) fn path_without_names(path: &str, stand_ins: &mut StandIns) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let name = path.trim_start_matches(['/', '\\']);
    match name {
        "" if path.is_empty() => String::new(),
        "" => "/".to_owned(),
        _ => format!("/{}", stand_ins.of(Class::Path, name)),
    }
}

/// The length of `:line:column` at the end of what a stack names.
fn place_in_script(text: &str) -> usize {
    let place = text.trim_end_matches(|character: char| character == ':' || character.is_ascii_digit());
    let place = text.get(place.len()..).unwrap_or_default();
    place.find(':').map_or(0, |colon| place.len() - colon)
}

/// `name@host.example`, with the resource that XMPP puts behind it (RFC 7622, section 3.1).
fn mailbox_without_names(word: &str, stand_ins: &mut StandIns) -> Option<String> {
    let (local, rest) = word.split_once('@')?;
    let is_before = |character: char| matches!(character, '(' | '[' | '{' | '\'' | ',' | ';' | '=' | ':' | '/');
    let name = local.rsplit(is_before).next().filter(|name| !name.is_empty())?;
    let (host, resource) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (_, top) = host.rsplit_once('.')?;
    let is_host = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    if !is_host || top.len() < 2 || !top.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let before = local.get(..local.len() - name.len())?;
    let (name, host) = (stand_ins.of(Class::Name, name), stand_ins.of(Class::Host, &host.to_ascii_lowercase()));
    Some(format!("{before}{name}@{host}{}", path_without_names(resource, stand_ins)))
}

/// Whether a word is of a user agent: `Chrome/140.0.0.0`, which is no address.
fn is_product(word: &str) -> bool {
    word.split_once('/').is_some_and(|(name, version)| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphabetic())
            && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_keeps_its_scheme_and_its_port() {
        let mut stand_ins = StandIns::default();
        for (text, expected) in [
            ("https://a.example/room?user=jane#top", "https://host-1/path-1"),
            ("See HTTPS://A.example:8443/x?y=1 now", "See https://host-1:8443/path-2 now"),
            ("(https://jane:pw@b.example/room).", "(https://host-2/path-1)."),
            ("at f (https://a.example/app.js?v=x:10:5)", "at f (https://host-1/path-3:10:5)"),
            ("f@https://a.example/app.js:10:5", "f@https://host-1/path-3:10:5"),
            ("{'u':'wss://a.example/'}", "{'u':'wss://host-1/'}"),
            ("blob:https://a.example/room", "blob:https://host-1/path-1"),
            ("https://a.example?q", "https://host-1"),
            ("https://a.example#q?r", "https://host-1"),
            ("file:///home/jane", "file:///path-4"),
            ("http://[2001:db8::7]:80/room", "http://host-3:80/path-1"),
            ("http://[2001:db8::7]", "http://host-3"),
            ("http://localhost:8080/room", "http://localhost:8080/path-1"),
            ("turn:a.example:3478?transport=udp", "turn:host-1:3478?transport=udp"),
            ("TURNS:a.example?transport=tcp&x", "turns:host-1"),
            ("stun:192.0.2.7:3478", "stun:host-4:3478"),
            ("STUN 701: return:x, turn: no", "STUN 701: return:x, turn: no"),
            ("mail to <jane@b.example>, not jane@home", "mail to <name-1@host-2>, not jane@home"),
            ("room@muc.b.example/jane", "name-2@host-5/path-5"),
            (
                "from 192.0.2.7:80 and 2001:db8:1:2::99 at 12:55:35.891",
                "from 192.0.2.x:80 and 2001:db8:1x:x:x:x:x:x at 12:55:35.891",
            ),
            ("Chrome/140.0.0.0 Safari/537.36", "Chrome/140.0.0.0 Safari/537.36"),
        ] {
            assert_eq!(without_names(text, true, &mut stand_ins), expected);
            assert_eq!(without_names(expected, true, &mut stand_ins), expected, "twice is once");
        }
        assert_eq!(without_names("192.0.2.7", false, &mut stand_ins), "192.0.2.7");
    }

    proptest! {
        #[test]
        fn no_host_and_no_path_is_left_of_a_url(
            before in "[a-z ('=]{0,4}",
            scheme in "(https?|WSS|turn|file)://",
            host in "secret[a-z0-9.:@\\[-]{0,8}",
            path in "(/secret[a-z0-9:/(),.-]{0,9})?",
            query in "([?#]secret[a-z0-9:=?#]{0,9})?",
        ) {
            let text = format!("{before}{scheme}{host}{path}{query}");
            let once = without_names(&text, true, &mut StandIns::default()).into_owned();
            prop_assert!(!once.contains("secret"), "{}", once);
        }

        #[test]
        fn any_text_is_read_without_harm(text in "[a-z0-9.: @/?#=%\\[\\]\"\u{e9}-]{0,60}", addresses: bool) {
            let mut stand_ins = StandIns::default();
            let _ = without_names(&text, addresses, &mut stand_ins);
            let _ = without_names(&format!("https://{text}"), addresses, &mut stand_ins);
        }
    }
}
