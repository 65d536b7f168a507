//! The obfuscated form of addresses, and of what they stand in: candidates, descriptions, any text.
//!
//! An IPv4 address loses its last octet to `x`; an IPv6 address keeps its first three groups, and `x:x:x:x:x:x` is appended
//! to them as upstream writes it. Loopback, the unspecified address and names (mDNS) stay. The address of a relay candidate
//! stays too, so that calls can be grouped by TURN server; its related address, which is the client's own, does not.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What takes the place of an IPv6 address's last groups.
const HIDDEN_V6: &str = "x:x:x:x:x:x";

/// The obfuscated form of an address; anything that is no IP address comes back as it is.
#[must_use]
pub fn obfuscate_address(address: &str) -> Cow<'_, str> {
    let bare = address.split('%').next().unwrap_or(address);
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) if ip == Ipv4Addr::LOCALHOST || ip == Ipv4Addr::UNSPECIFIED => Cow::Borrowed(address),
        Ok(IpAddr::V6(ip)) if ip == Ipv6Addr::LOCALHOST || ip == Ipv6Addr::UNSPECIFIED => Cow::Borrowed(address),
        Ok(IpAddr::V4(ip)) => Cow::Owned(obfuscated_v4(ip)),
        Ok(IpAddr::V6(ip)) => Cow::Owned(match ip.to_ipv4_mapped() {
            Some(mapped) => format!("::ffff:{}", obfuscated_v4(mapped)),
            None => {
                let mut out: String = bare.split(':').take(3).collect::<Vec<_>>().join(":");
                out.push_str(HIDDEN_V6);
                out
            }
        }),
        Err(_) => Cow::Borrowed(address),
    }
}

fn obfuscated_v4(ip: Ipv4Addr) -> String {
    let [a, b, c, _] = ip.octets();
    format!("{a}.{b}.{c}.x")
}

/// The obfuscated form of `address:port` or `[address]:port`, as `onicecandidateerror` names its host candidate.
pub(super) fn obfuscate_host_and_port(text: &str) -> Cow<'_, str> {
    let whole = obfuscate_address(text);
    if matches!(whole, Cow::Owned(_)) {
        return whole;
    }
    let Some((host, port)) = text.rsplit_once(':') else { return whole };
    if port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return whole;
    }
    let (open, bare, close) = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(bare) => ("[", bare, "]"),
        None => ("", host, ""),
    };
    match obfuscate_address(bare) {
        Cow::Owned(hidden) => Cow::Owned(format!("{open}{hidden}{close}:{port}")),
        Cow::Borrowed(_) => Cow::Borrowed(text),
    }
}

/// The obfuscated form of a candidate attribute (RFC 8839, section 5.1), with or without `a=` in front. What cannot be
/// read as one comes back with every word that is an IP address obfuscated.
#[must_use]
pub fn obfuscate_candidate(candidate: &str) -> Cow<'_, str> {
    let words: Vec<&str> = candidate.split(' ').collect();
    let is_relay = words.windows(2).any(|pair| matches!(pair, ["typ", kind] if kind.trim_end() == "relay"));
    replace_words(&words, candidate, |index, word| {
        // foundation component transport priority connection-address port
        if is_relay && index == 4 { Cow::Borrowed(word) } else { obfuscate_address(word) }
    })
}

/// A text of any kind with every address in it obfuscated, those of relays too.
pub(crate) fn obfuscate_text(text: &str) -> Cow<'_, str> {
    let is_part = |character: char| character.is_ascii_hexdigit() || matches!(character, '.' | ':' | '%');
    let mut out = String::new();
    let mut copied = 0;
    let mut rest = 0;
    while let Some(length) = text.get(rest..).and_then(|tail| tail.find(is_part)) {
        let start = rest + length;
        let run = text.get(start..).unwrap_or_default();
        let run = run.get(..run.find(|character| !is_part(character)).unwrap_or(run.len())).unwrap_or_default();
        rest = start + run.len();
        // It has been through here before.
        if text.get(rest..).is_some_and(|tail| tail.starts_with(HIDDEN_V6)) {
            continue;
        }
        // The end of a sentence is no part of it.
        let word = run.trim_end_matches(['.', ':']);
        if let Cow::Owned(hidden) = obfuscate_word(word) {
            out.push_str(text.get(copied..start).unwrap_or_default());
            out.push_str(&hidden);
            copied = start + word.len();
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

/// A word of a text; what is before an address may have ended in the same characters.
fn obfuscate_word(word: &str) -> Cow<'_, str> {
    let whole = obfuscate_host_and_port(word);
    if matches!(whole, Cow::Owned(_)) {
        return whole;
    }
    if let Some(Cow::Owned(hidden)) = word.strip_prefix(':').map(obfuscate_host_and_port) {
        return Cow::Owned(format!(":{hidden}"));
    }
    let parts: Vec<Cow<'_, str>> = word.split(':').map(obfuscate_address).collect();
    match parts.iter().any(|part| matches!(part, Cow::Owned(_))) {
        true => Cow::Owned(parts.join(":")),
        false => whole,
    }
}

/// The obfuscated form of an SDP: its `o=`, `c=`, `a=candidate`, `a=remote-candidates` and `a=rtcp` lines. Everything else stays byte
/// for byte.
#[must_use]
pub fn obfuscate_sdp(sdp: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    for line in sdp.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let hidden = if content.starts_with("a=candidate:") {
            obfuscate_candidate(content)
        } else if ["o=", "c=", "a=rtcp:", "a=remote-candidates:"].iter().any(|start| content.starts_with(start)) {
            let words: Vec<&str> = content.split(' ').collect();
            // A multicast address may carry its scope behind a slash (RFC 8866, section 5.7).
            replace_words(&words, content, |_, word| match word.split_once('/') {
                Some((address, scope)) => match obfuscate_address(address) {
                    Cow::Owned(hidden) => Cow::Owned(format!("{hidden}/{scope}")),
                    Cow::Borrowed(_) => Cow::Borrowed(word),
                },
                None => obfuscate_address(word),
            })
        } else {
            Cow::Borrowed(content)
        };
        if let Cow::Owned(hidden) = hidden {
            out.push_str(sdp.get(copied..at).unwrap_or_default());
            out.push_str(&hidden);
            copied = at + content.len();
        }
        at += line.len();
    }
    if copied == 0 {
        return Cow::Borrowed(sdp);
    }
    out.push_str(sdp.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

fn replace_words<'a>(
    words: &[&'a str],
    whole: &'a str,
    replace: impl Fn(usize, &'a str) -> Cow<'a, str>,
) -> Cow<'a, str> {
    let replaced: Vec<Cow<'_, str>> = words.iter().enumerate().map(|(index, word)| replace(index, word)).collect();
    if replaced.iter().all(|word| matches!(word, Cow::Borrowed(_))) {
        return Cow::Borrowed(whole);
    }
    Cow::Owned(replaced.join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_keep_their_network_only() {
        for (address, expected) in [
            ("192.0.2.77", "192.0.2.x"),
            ("fd00::2", "fd00::2x:x:x:x:x:x"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1x:x:x:x:x:x"),
            ("fe80::1%eth0", "fe80::1x:x:x:x:x:x"),
            ("::ffff:192.0.2.77", "::ffff:192.0.2.x"),
            ("127.0.0.1", "127.0.0.1"),
            ("0.0.0.0", "0.0.0.0"),
            ("::1", "::1"),
            ("3e1d0b1c-5a0b.local", "3e1d0b1c-5a0b.local"),
            ("turn.example", "turn.example"),
            ("192.0.2.x", "192.0.2.x"),
            ("fd00::2x:x:x:x:x:x", "fd00::2x:x:x:x:x:x"),
            ("", ""),
        ] {
            assert_eq!(obfuscate_address(address), expected);
            assert_eq!(obfuscate_address(expected), expected, "twice is once");
        }
        assert_eq!(obfuscate_host_and_port("192.0.2.77:4000"), "192.0.2.x:4000");
        assert_eq!(obfuscate_host_and_port("[fd00::2]:4000"), "[fd00::2x:x:x:x:x:x]:4000");
        assert_eq!(obfuscate_host_and_port("[0:0:0:x:x:x:x:x]:4000"), "[0:0:0:x:x:x:x:x]:4000");
    }

    #[test]
    fn a_relay_candidate_keeps_its_address_and_loses_its_related_one() {
        assert_eq!(
            obfuscate_candidate("candidate:1 1 UDP 41 203.0.113.9 50000 typ relay raddr 192.0.2.77 rport 9 ufrag x"),
            "candidate:1 1 UDP 41 203.0.113.9 50000 typ relay raddr 192.0.2.x rport 9 ufrag x"
        );
        assert_eq!(
            obfuscate_candidate("candidate:1 1 UDP 41 203.0.113.9 50000 typ srflx raddr 192.0.2.77 rport 9"),
            "candidate:1 1 UDP 41 203.0.113.x 50000 typ srflx raddr 192.0.2.x rport 9"
        );
    }

    #[test]
    fn a_text_keeps_no_address_wherever_it_stands() {
        for (text, expected) in [
            ("TURN allocate to 192.0.2.7:3478 failed.", "TURN allocate to 192.0.2.x:3478 failed."),
            ("host:192.0.2.7, code:192.0.2.8", "host:192.0.2.x, code:192.0.2.x"),
            ("no route ([2001:db8:1:2::3]:99)", "no route ([2001:db8:1x:x:x:x:x:x]:99)"),
            ("addr:fd00::2: timed out", "addr:fd00::2x:x:x:x:x:x: timed out"),
            ("::ffff:192.0.2.7", "::ffff:192.0.2.x"),
            ("at 12:55:35.891, STUN 701: host.local 1.2.3", "at 12:55:35.891, STUN 701: host.local 1.2.3"),
            ("127.0.0.1 and ::1 stay", "127.0.0.1 and ::1 stay"),
        ] {
            assert_eq!(obfuscate_text(text), expected);
            assert_eq!(obfuscate_text(expected), expected, "twice is once");
        }
    }

    #[test]
    fn a_description_keeps_no_address_of_its_origin() {
        let sdp = "v=0\r\no=- 46 2 IN IP4 192.0.2.7\r\ns=-\r\na=remote-candidates:1 192.0.2.8 9\r\n";
        let hidden = "v=0\r\no=- 46 2 IN IP4 192.0.2.x\r\ns=-\r\na=remote-candidates:1 192.0.2.x 9\r\n";
        assert_eq!(obfuscate_sdp(sdp), hidden);
        let sdp = "o=jdoe 46 2 IN IP6 2001:db8:1:2::3";
        assert_eq!(obfuscate_sdp(sdp), "o=jdoe 46 2 IN IP6 2001:db8:1x:x:x:x:x:x");
        let named = "o=- 46 2 IN IP4 127.0.0.1\r\no=jdoe 1 1 IN IP4 host.example\r\n";
        assert_eq!(obfuscate_sdp(named), named);
    }

    proptest! {
        #[test]
        fn any_text_is_obfuscated_without_harm_and_twice_is_once(text in "[a-f0-9.: \r\n=%/\\[\\]-]{0,60}") {
            for obfuscate in
                [obfuscate_address, obfuscate_candidate, obfuscate_sdp, obfuscate_host_and_port, obfuscate_text]
            {
                let once = obfuscate(&text).into_owned();
                prop_assert_eq!(obfuscate(&once), once.as_str());
            }
        }
    }
}
