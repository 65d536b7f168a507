//! Obfuscation of IP addresses, line by line as lines arrive.
//!
//! An IPv4 address loses its last octet to `x`; an IPv6 address keeps its first three groups, and `x:x:x:x:x:x` is appended
//! to them as upstream writes it. Loopback, the unspecified address and names (mDNS) stay. The address of a relay candidate
//! stays too, so that calls can be grouped by TURN server; its related address, which is the client's own, does not.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::description::carries_description;
use crate::json::{Kind, RawValue, scan_string, write_string};
use crate::line::Line;

/// How many relay candidates a session's obfuscator remembers. The addresses of any beyond are obfuscated like all others.
const MAX_RELAYS: usize = 4096;

/// The longest id of an entry that is remembered, in bytes. Dumps have `0`, `1`, ...
const LONGEST_ID: usize = 256;

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
                out.push_str("x:x:x:x:x:x");
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
fn obfuscate_host_and_port(text: &str) -> Cow<'_, str> {
    let whole = obfuscate_address(text);
    if matches!(whole, Cow::Owned(_)) {
        return whole;
    }
    let Some((host, port)) = text.rsplit_once(':') else { return whole };
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
fn obfuscate_text(text: &str) -> Cow<'_, str> {
    let is_part = |character: char| character.is_ascii_hexdigit() || matches!(character, '.' | ':' | '%');
    let mut out = String::new();
    let mut copied = 0;
    let mut rest = 0;
    while let Some(length) = text.get(rest..).and_then(|tail| tail.find(is_part)) {
        let start = rest + length;
        let run = text.get(start..).unwrap_or_default();
        let run = run.get(..run.find(|character| !is_part(character)).unwrap_or(run.len())).unwrap_or_default();
        rest = start + run.len();
        // The end of a sentence is no part of it.
        let word = run.trim_end_matches(['.', ':']);
        if let Cow::Owned(hidden) = obfuscate_host_and_port(word) {
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

/// The obfuscated form of an SDP: its `a=candidate`, `c=` and `a=rtcp` lines. Everything else stays byte for byte.
#[must_use]
pub fn obfuscate_sdp(sdp: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut at = 0;
    for line in sdp.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let hidden = if content.starts_with("a=candidate:") {
            obfuscate_candidate(content)
        } else if content.starts_with("c=") || content.starts_with("a=rtcp:") {
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

/// Obfuscates the lines of one session. It remembers which entries of its reports are relay candidates, because a later
/// delta may name an address without the type.
#[derive(Debug, Default)]
pub struct Obfuscator {
    relays: HashSet<(String, String)>,
}

/// A part of the line to be replaced, and what by.
type Replacement<'a> = (RawValue<'a>, String);

impl Obfuscator {
    /// An obfuscator for a session's first line.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the line with its addresses obfuscated, without a newline. A line that has nothing to hide is appended byte
    /// for byte; a line that has been through here before stays as it is.
    pub fn line(&mut self, line: &Line<'_>, out: &mut String) {
        if !self.rewrite(line, out) {
            out.push_str(line.text());
        }
    }

    /// As [`Obfuscator::line`], but a line that has nothing to hide is left where it is: `false`, and nothing is appended.
    pub fn rewrite(&mut self, line: &Line<'_>, out: &mut String) -> bool {
        let mut found = Vec::new();
        let value = line.value();
        match &*line.method() {
            "getStats" | "getstats" => self.report(line, &mut found),
            "addIceCandidate" | "onicecandidate" => candidate(value, &mut found),
            "onicecandidateerror" => {
                replace_members(value, &["address", "hostCandidate"], &mut found, obfuscate_host_and_port);
            }
            "RTCIceTransport.onselectedcandidatepairchange" => {
                for (name, member) in value.members() {
                    if matches!(&*name, "local" | "remote") {
                        candidate(member, &mut found);
                    }
                }
            }
            // What no format describes: configurations, logs, the state of a backend.
            "identity" | "logs" | "stats-entry" => every_string(value, &mut found),
            // Browsers quote the line of an SDP that they could not read.
            method if method.ends_with("OnFailure") => replace(value, &mut found, obfuscate_text),
            method if carries_description(method) => replace_members(value, &["sdp"], &mut found, obfuscate_sdp),
            _ => {}
        }
        if found.is_empty() {
            return false;
        }
        let text = line.text();
        let mut copied = 0;
        for (part, replacement) in found {
            let start = (part.text().as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
            out.push_str(text.get(copied..start).unwrap_or_default());
            write_string(out, &replacement);
            copied = start + part.text().len();
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        true
    }

    fn report<'a>(&mut self, line: &Line<'a>, found: &mut Vec<Replacement<'a>>) {
        let report = line.value();
        if !mentions_addresses(report.text()) {
            return;
        }
        let connection = line.connection().unwrap_or_default();
        for (id, entry) in report.members() {
            let kind = entry.get("candidateType").or_else(|| entry.get("136")).and_then(RawValue::as_str);
            let is_short = id.len() <= LONGEST_ID;
            let key = (connection.clone().into_owned(), id.into_owned());
            match kind.as_deref() {
                Some("relay") if self.relays.len() < MAX_RELAYS && is_short => {
                    self.relays.insert(key.clone());
                }
                Some(_) => {
                    self.relays.remove(&key);
                }
                None => {}
            }
            let is_relay = self.relays.contains(&key);
            for (name, value) in entry.members() {
                match &*name {
                    "134" | "address" | "ip" | "ipAddress" if !is_relay => replace(value, found, obfuscate_address),
                    "141" | "relatedAddress" => replace(value, found, obfuscate_address),
                    _ => {}
                }
            }
        }
    }
}

/// Whether a delta can hold an address or a candidate's type. Most do not, and are spared the search. An escape may hide a
/// name, so a text with one is always searched.
fn mentions_addresses(delta: &str) -> bool {
    ["\"134\"", "\"136\"", "\"141\"", "ddress\"", "\"candidateType\"", "\"ip\"", "\\u"]
        .iter()
        .any(|name| delta.contains(name))
}

fn candidate<'a>(value: RawValue<'a>, found: &mut Vec<Replacement<'a>>) {
    if value.kind() == Kind::String {
        replace(value, found, obfuscate_candidate);
        return;
    }
    let is_relay = value.get("type").and_then(RawValue::as_str).is_some_and(|kind| kind == "relay");
    for (name, member) in value.members() {
        match &*name {
            "candidate" => replace(member, found, obfuscate_candidate),
            "address" | "ip" if !is_relay => replace(member, found, obfuscate_address),
            "relatedAddress" => replace(member, found, obfuscate_address),
            _ => {}
        }
    }
}

/// Replaces members in the order of the text, as [`Obfuscator::line`] needs them.
fn replace_members<'a>(
    object: RawValue<'a>,
    names: &[&str],
    found: &mut Vec<Replacement<'a>>,
    obfuscate: fn(&str) -> Cow<'_, str>,
) {
    // Every member of such a name: a reader may take the first or the last.
    for (_, value) in object.members().filter(|(name, _)| names.contains(&&**name)) {
        replace(value, found, obfuscate);
    }
}

/// Replaces every string in which an address stands, names of members among them.
fn every_string<'a>(value: RawValue<'a>, found: &mut Vec<Replacement<'a>>) {
    let text = value.text();
    let mut at = 0;
    while let Some(length) = text.get(at..).and_then(|rest| rest.find('"')) {
        let start = at + length;
        let Ok(end) = scan_string(text.as_bytes(), start) else { return };
        replace(RawValue::slice(text, start, end), found, obfuscate_text);
        at = end;
    }
}

fn replace<'a>(value: RawValue<'a>, found: &mut Vec<Replacement<'a>>, obfuscate: fn(&str) -> Cow<'_, str>) {
    let Some(text) = value.as_str() else { return };
    if let Cow::Owned(hidden) = obfuscate(&text) {
        found.push((value, hidden));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_backends_say_of_addresses_is_hidden_wherever_it_stands() {
        let mut out = String::new();
        let line =
            r#"["stats-entry",null,{"a":["198.51.100.7:10000/udp",1.5,{"198.51.100.8":"x"}],"time":"12:55:35.891"},5]"#;
        assert!(Obfuscator::new().rewrite(&Line::parse(line).unwrap(), &mut out));
        let hidden =
            r#"["stats-entry",null,{"a":["198.51.100.x:10000/udp",1.5,{"198.51.100.x":"x"}],"time":"12:55:35.891"},5]"#;
        assert_eq!(out, hidden);
    }

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

    fn obfuscated(obfuscator: &mut Obfuscator, text: &str) -> String {
        let mut out = String::new();
        obfuscator.line(&Line::parse(text).unwrap(), &mut out);
        out
    }

    #[test]
    fn every_place_of_a_line_is_covered() {
        let mut obfuscator = Obfuscator::new();
        for (line, expected) in [
            (
                r#"[9,"PC_0",{"type":"offer","sdp":"v=0\r\nc=IN IP4 192.0.2.7\r\n"},"8-0",1]"#,
                r#"[9,"PC_0",{"type":"offer","sdp":"v=0\r\nc=IN IP4 192.0.2.x\r\n"},"8-0",1]"#,
            ),
            (
                r#"[20,"PC_0",{"candidate":"candidate:1 1 UDP 2 192.0.2.7 5 typ host","sdpMid":"0"},1]"#,
                r#"[20,"PC_0",{"candidate":"candidate:1 1 UDP 2 192.0.2.x 5 typ host","sdpMid":"0"},1]"#,
            ),
            (
                r#"[21,"PC_0",{"address":"192.0.2.7","hostCandidate":"192.0.2.7:99","url":"stun:192.0.2.9"},1]"#,
                r#"[21,"PC_0",{"address":"192.0.2.x","hostCandidate":"192.0.2.x:99","url":"stun:192.0.2.9"},1]"#,
            ),
            (
                r#"[21,"PC_0",{"hostCandidate":"192.0.2.7:99","errorCode":701,"address":"192.0.2.7"},1]"#,
                r#"[21,"PC_0",{"hostCandidate":"192.0.2.x:99","errorCode":701,"address":"192.0.2.x"},1]"#,
            ),
            (
                r#"[6,"PC_0",{"type":"offer","sdp":"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\nc=IN IP4 192.0.2.7\r\na=rtcp:9 IN IP4 192.0.2.7\r\na=candidate:1 1 UDP 2 192.0.2.7 5 typ host\r\n"},"6-0",1]"#,
                r#"[6,"PC_0",{"type":"offer","sdp":"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\nc=IN IP4 192.0.2.x\r\na=rtcp:9 IN IP4 192.0.2.x\r\na=candidate:1 1 UDP 2 192.0.2.x 5 typ host\r\n"},"6-0",1]"#,
            ),
            (
                r#"["g","PC_0",{"5":{"134":"203.0.113.9","136":"relay","141":"192.0.2.7"},"6":{"134":"192.0.2.7","136":"host"}},1]"#,
                r#"["g","PC_0",{"5":{"134":"203.0.113.9","136":"relay","141":"192.0.2.x"},"6":{"134":"192.0.2.x","136":"host"}},1]"#,
            ),
            (
                r#"["g","PC_0",{"5":{"134":"203.0.113.10"},"6":{"address":"192.0.2.8","ip":"192.0.2.8"}},1]"#,
                r#"["g","PC_0",{"5":{"134":"203.0.113.10"},"6":{"address":"192.0.2.x","ip":"192.0.2.x"}},1]"#,
            ),
            (r#"["g","PC_1",{"5":{"134":"203.0.113.10"}},1]"#, r#"["g","PC_1",{"5":{"134":"203.0.113.x"}},1]"#),
            (
                r#"["g","PC_1",{"5":{"\u0061ddress":"203.0.113.10"}},1]"#,
                r#"["g","PC_1",{"5":{"\u0061ddress":"203.0.113.x"}},1]"#,
            ),
            (
                r#"["RTCIceTransport.onselectedcandidatepairchange","PC_0",{"local":{"candidate":"candidate:1 1 UDP 2 192.0.2.7 5 typ host"},"remote":{"candidate":"candidate:1 1 UDP 2 203.0.113.9 5 typ relay","address":"203.0.113.9","type":"relay","relatedAddress":"192.0.2.7"}},1]"#,
                r#"["RTCIceTransport.onselectedcandidatepairchange","PC_0",{"local":{"candidate":"candidate:1 1 UDP 2 192.0.2.x 5 typ host"},"remote":{"candidate":"candidate:1 1 UDP 2 203.0.113.9 5 typ relay","address":"203.0.113.9","type":"relay","relatedAddress":"192.0.2.x"}},1]"#,
            ),
            (
                r#"[15,"PC_0","OperationError: Failed to parse. a=candidate:1 1 UDP garbage 192.0.2.7 typ: c=192.0.2.8. At ab:cd","8-0",1]"#,
                r#"[15,"PC_0","OperationError: Failed to parse. a=candidate:1 1 UDP garbage 192.0.2.x typ: c=192.0.2.x. At ab:cd","8-0",1]"#,
            ),
            (r#"[10,"PC_0",null,"10-0",1]"#, r#"[10,"PC_0",null,"10-0",1]"#),
            (r#"[":note",null, "192.0.2.7" ,1]"#, r#"[":note",null, "192.0.2.7" ,1]"#),
        ] {
            assert_eq!(obfuscated(&mut obfuscator, line), expected);
            assert_eq!(obfuscated(&mut obfuscator, expected), expected, "twice is once");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_obfuscated_without_harm_and_twice_is_once(text in "[a-f0-9.: \r\n=%/\\[\\]-]{0,60}") {
            for obfuscate in [obfuscate_address, obfuscate_candidate, obfuscate_sdp, obfuscate_host_and_port] {
                let once = obfuscate(&text).into_owned();
                prop_assert_eq!(obfuscate(&once), once.as_str());
            }
        }
    }
}
