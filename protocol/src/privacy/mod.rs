//! Obfuscation, line by line as lines arrive: of IP addresses ([`address`]), and of the names of devices where they are to stay
//! unknown ([`labels`]). And a whole dump made fit to be given away ([`anonymize`]).

mod address;
mod anonymize;
mod labels;
mod mentions;

use std::borrow::Cow;
use std::collections::HashSet;

use crate::description::carries_description;
use crate::json::{Kind, RawValue, scan_string, write_string};
use crate::line::Line;
use crate::sora;
use crate::sort::sorted_by;
use crate::tables::{MethodToken, Property, method_token, type_token};
use address::obfuscate_host_and_port;
use mentions::mentions_addresses;

pub(crate) use address::obfuscate_text;
pub use address::{obfuscate_address, obfuscate_candidate, obfuscate_sdp};
pub use anonymize::Anonymizer;

/// How many relay candidates a session's obfuscator remembers, and how many entries that nobody knows. The addresses of any candidate beyond are
/// obfuscated like all others, and all entries are searched where some beyond are unknown.
const MAX_RELAYS: usize = 4096;

/// Methods with this in front are of no connection, in dumps of Chromium's either, and of none of their values is an address a part.
const MEDIA: &str = "navigator.mediaDevices.";

/// The longest id of an entry that is remembered, in bytes. Dumps have `0`, `1`, ...
const LONGEST_ID: usize = 256;

/// Obfuscates the lines of one session. It remembers which entries of its reports are relay candidates, because a later
/// delta may name an address without the type.
#[derive(Debug)]
pub struct Obfuscator {
    hidden: Hidden,
    relays: HashSet<(String, String)>,
    /// Whether Sora has said some of the lines: of its clients there are any, with whatever they like to tell.
    is_soras: bool,
    /// Entries of its reports whose types are none of a browser's.
    strangers: HashSet<(String, String)>,
    has_more_strangers: bool,
}

/// What an [`Obfuscator`] hides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hidden {
    /// IP addresses lose their hosts.
    pub addresses: bool,
    /// Names of devices and labels of tracks come out empty.
    pub labels: bool,
}

impl Default for Obfuscator {
    fn default() -> Self {
        Self::new()
    }
}

/// A part of the line to be replaced, and what by.
type Replacement<'a> = (RawValue<'a>, String);

/// In the order in which they stand in their text. Of two that replace the same part, the first counts.
fn in_order(found: Vec<Replacement<'_>>) -> Vec<Replacement<'_>> {
    // Parts borrow from one text, so their addresses have its order.
    let place = |part: &RawValue<'_>| part.text().as_ptr() as usize;
    let mut found = sorted_by(found, |(one, _), (other, _)| place(one).cmp(&place(other)));
    found.dedup_by_key(|(part, _)| place(part));
    found
}

/// Appends a text with parts of it replaced, which stand in its order.
fn write_replaced(text: &str, found: Vec<Replacement<'_>>, out: &mut String) {
    let mut copied = 0;
    for (part, replacement) in found {
        let start = (part.text().as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        out.push_str(text.get(copied..start).unwrap_or_default());
        write_string(out, &replacement);
        copied = start + part.text().len();
    }
    out.push_str(text.get(copied..).unwrap_or_default());
}

impl Obfuscator {
    /// For a session's first line: hides addresses.
    #[must_use]
    pub fn new() -> Self {
        Self::hiding(Hidden { addresses: true, labels: false })
    }

    /// For a session's first line: hides what is asked for.
    #[must_use]
    pub fn hiding(hidden: Hidden) -> Self {
        let (relays, strangers) = (HashSet::new(), HashSet::new());
        Self { hidden, relays, is_soras: false, strangers, has_more_strangers: false }
    }

    /// For a session's first line, of whose client nothing is known: hides addresses, in entries and members that no browser has, too.
    fn of_anybody() -> Self {
        Self { is_soras: true, ..Self::new() }
    }

    /// Appends the line with what is to be hidden obfuscated, without a newline. A line that has nothing to hide is appended byte
    /// for byte; a line that has been through here before stays as it is.
    pub fn line(&mut self, line: &Line<'_>, out: &mut String) {
        if !self.rewrite(line, out) {
            out.push_str(line.text());
        }
    }

    /// As [`Obfuscator::line`], but a line that has nothing to hide is left where it is: `false`, and nothing is appended.
    pub fn rewrite(&mut self, line: &Line<'_>, out: &mut String) -> bool {
        let mut found = Vec::new();
        let method = line.method();
        if self.hidden.labels && labels::carries_labels(&method) {
            labels::find(line, &mut found);
        }
        let labels = found.len();
        if self.hidden.addresses {
            self.addresses(line, &method, &mut found);
        }
        if found.is_empty() {
            return false;
        }
        let text = line.text();
        if labels > 0 && labels < found.len() {
            // Each kind stands in the order of the text. A label with an address in it counts as a label.
            found = in_order(found);
        }
        write_replaced(text, found, out);
        true
    }

    fn addresses<'a>(&mut self, line: &Line<'a>, method: &str, found: &mut Vec<Replacement<'a>>) {
        let value = line.value();
        let is_chromiums = line.connection().is_some_and(|id| is_chromiums(&id)) || method.starts_with(MEDIA);
        match method {
            "getStats" | "getstats" if value.kind() == Kind::Object => self.report(line, is_chromiums, found),
            // What should be an object and is a text is one that nobody understood.
            "addIceCandidate" | "onicecandidate" if value.kind() == Kind::String => {
                candidate(value, false, found);
                if found.is_empty() {
                    replace(value, found, obfuscate_text);
                }
            }
            method if value.kind() == Kind::String && is_understood_as_object(method) => every_string(value, found),
            "addIceCandidate" | "onicecandidate" => candidate(value, is_chromiums, found),
            "onicecandidateerror" => {
                for (name, member) in value.members() {
                    match &*name {
                        "address" | "hostCandidate" if member.kind() == Kind::String => {
                            replace(member, found, obfuscate_host_and_port);
                        }
                        "errorText" => replace(member, found, obfuscate_text),
                        // It is a server's.
                        "url" => {}
                        _ if is_chromiums => every_string(member, found),
                        _ => {}
                    }
                }
            }
            "RTCIceTransport.onselectedcandidatepairchange" => {
                for (name, member) in value.members() {
                    match &*name {
                        "local" | "remote" => candidate(member, is_chromiums, found),
                        _ if is_chromiums => every_string(member, found),
                        _ => {}
                    }
                }
            }
            method if is_free(method) => every_string(value, found),
            sora::CONNECTION | sora::NODE | sora::STATS | sora::EVENT => {
                self.is_soras = true;
                match value.kind() {
                    // The name of a node is its address as a rule, and no client's.
                    Kind::Object => value
                        .members()
                        .filter(|(name, _)| name != "node_name")
                        .for_each(|(_, member)| every_string(member, found)),
                    _ => every_string(value, found),
                }
            }
            // Browsers quote the line of an SDP that they could not read.
            method if method.ends_with("OnFailure") => every_string(value, found),
            method if carries_description(method) && value.kind() == Kind::Object => {
                // Every member of this name: a reader may take the first or the last.
                for (name, member) in value.members() {
                    match &*name {
                        "sdp" if member.kind() == Kind::String => replace(member, found, obfuscate_sdp),
                        _ if is_chromiums => every_string(member, found),
                        _ => {}
                    }
                }
            }
            "create" | "setConfiguration" if is_chromiums && value.kind() == Kind::Object => {
                // Addresses of servers stay, as with our own clients.
                for (_, member) in value.members().filter(|(name, _)| name != "iceServers") {
                    every_string(member, found);
                }
            }
            // What our methods have no name for is in Chromium's words.
            _ if is_chromiums => every_string(value, found),
            _ => {}
        }
        if is_chromiums || is_free(method) || !matches!(method_token(method), MethodToken::Name) {
            for extra in line.extra() {
                every_string(*extra, found);
            }
        }
    }

    fn report<'a>(&mut self, line: &Line<'a>, is_chromiums: bool, found: &mut Vec<Replacement<'a>>) {
        let report = line.value();
        let is_anybodys = is_chromiums || self.is_soras;
        if !is_anybodys && !mentions_addresses(report.text()) {
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
            let is_stranger = self.is_soras && self.is_stranger(key, is_short, entry);
            for (name, value) in entry.members() {
                match &*name {
                    _ if is_stranger => every_string(value, found),
                    "134" | "address" | "ip" | "ipAddress" if !is_relay => replace(value, found, obfuscate_address),
                    "141" | "relatedAddress" => replace(value, found, obfuscate_address),
                    // Of the candidate pairs that browsers reported before there was a standard.
                    "googLocalAddress" | "googRemoteAddress" => replace(value, found, obfuscate_host_and_port),
                    "134" | "address" | "ip" | "ipAddress" => {}
                    name if (is_anybodys || name.ends_with("ddress")) && is_unknown(name) => every_string(value, found),
                    _ => {}
                }
            }
        }
    }

    /// Whether an entry's type is none that browsers have, as its first delta told.
    fn is_stranger(&mut self, key: (String, String), is_short: bool, entry: RawValue<'_>) -> bool {
        // A type that is known is a number, or was one once.
        let kind = entry.get("type").map(|kind| kind.as_str().filter(|kind| type_token(kind).is_none()));
        match kind {
            Some(Some(_)) if is_short && self.strangers.len() < MAX_RELAYS => {
                self.strangers.insert(key);
                true
            }
            Some(Some(_)) => {
                self.has_more_strangers = true;
                true
            }
            Some(None) => {
                self.strangers.remove(&key);
                self.has_more_strangers
            }
            None => {
                let is_gone = entry.kind() != Kind::Object;
                let is_one = if is_gone { self.strangers.remove(&key) } else { self.strangers.contains(&key) };
                is_one || self.has_more_strangers
            }
        }
    }
}

/// Whether no table has a member of that name.
fn is_unknown(name: &str) -> bool {
    Property::of_token(name).or_else(|| Property::of_name(name)).is_none()
}

/// Whether a connection has a name of Chromium's: the numbers of a process and of a connection in it. Our own clients have other
/// names, so such a line is of a dump of `chrome://webrtc-internals`.
pub(crate) fn is_chromiums(connection: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    connection.split_once('-').is_some_and(|(process, number)| is_number(process) && is_number(number))
}

/// Whether a text in place of this method's value is one that nobody understood.
fn is_understood_as_object(method: &str) -> bool {
    matches!(method, "getStats" | "getstats" | "onicecandidateerror") || carries_description(method)
}

/// Whether no format describes the value: configurations, logs, the state of a backend. Addresses and devices may stand anywhere in it.
fn is_free(method: &str) -> bool {
    matches!(method, "identity" | "logs" | "stats-entry" | ":webrtc-internals")
}

/// With `all`, what candidates have no name for is searched, too.
fn candidate<'a>(value: RawValue<'a>, all: bool, found: &mut Vec<Replacement<'a>>) {
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
            // That of a TURN server.
            "address" | "ip" | "url" => {}
            _ if all => every_string(member, found),
            _ => {}
        }
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
                r#"[21,"PC_0",{"errorText":"TURN host lookup of 192.0.2.7 failed, fd00:0:1::2 too.","errorCode":701,"address":"192.0.2.7"},1]"#,
                r#"[21,"PC_0",{"errorText":"TURN host lookup of 192.0.2.x failed, fd00:0:1x:x:x:x:x:x too.","errorCode":701,"address":"192.0.2.x"},1]"#,
            ),
            (
                r#"[9,"PC_0",{"type":"offer","sdp":"v=0\r\no=jdoe 1 2 IN IP4 192.0.2.7\r\ns=-\r\n"},"8-0",1]"#,
                r#"[9,"PC_0",{"type":"offer","sdp":"v=0\r\no=jdoe 1 2 IN IP4 192.0.2.x\r\ns=-\r\n"},"8-0",1]"#,
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
            (
                r#"["g","PC_1",{"7":{"googLocalAddress":"192.0.2.7:50000","googRemoteAddress":"[2001:db8:1:2::3]:9","type":"googCandidatePair"}},1]"#,
                r#"["g","PC_1",{"7":{"googLocalAddress":"192.0.2.x:50000","googRemoteAddress":"[2001:db8:1x:x:x:x:x:x]:9","type":"googCandidatePair"}},1]"#,
            ),
            (
                r#"["createOfferOnFailure","PC_1",{"name":"of 192.0.2.7","more":["192.0.2.8"]},"x 192.0.2.9",1]"#,
                r#"["createOfferOnFailure","PC_1",{"name":"of 192.0.2.x","more":["192.0.2.x"]},"x 192.0.2.x",1]"#,
            ),
            (r#"["a.note","PC_1","192.0.2.7","192.0.2.7",1]"#, r#"["a.note","PC_1","192.0.2.7","192.0.2.7",1]"#),
            (
                r#"[":note","PC_1",{"a":"192.0.2.7"},"192.0.2.7",1]"#,
                r#"[":note","PC_1",{"a":"192.0.2.7"},"192.0.2.7",1]"#,
            ),
            (r#"[":note",null, "192.0.2.7" ,1]"#, r#"[":note",null, "192.0.2.7" ,1]"#),
        ] {
            assert_eq!(obfuscated(&mut obfuscator, line), expected);
            assert_eq!(obfuscated(&mut obfuscator, expected), expected, "twice is once");
        }
    }

    #[test]
    fn clients_of_sora_may_say_anything_and_addresses_in_it_are_hidden() {
        let mut obfuscator = Obfuscator::new();
        let of_sora = r#"[":sora.connection","C",{"node_name":"sora@192.0.2.1"},1]"#;
        assert_eq!(obfuscated(&mut obfuscator, of_sora), of_sora);
        for (line, expected) in [
            (
                r#"["g","C",{"0":{"type":"peer","138":"turn:192.0.2.7:3478","x":{"y":["192.0.2.7"]}},"1":{"type":5,"via":"192.0.2.7:9"}},1]"#,
                r#"["g","C",{"0":{"type":"peer","138":"turn:192.0.2.x:3478","x":{"y":["192.0.2.x"]}},"1":{"type":5,"via":"192.0.2.x:9"}},1]"#,
            ),
            // What it is stands in its first delta; the address of a relay, and that of a server, are no client's.
            (
                r#"["g","C",{"0":{"134":"192.0.2.8","138":"192.0.2.8"},"2":{"type":7,"134":"192.0.2.9","136":"relay","138":"turn:192.0.2.9","z":"192.0.2.8"}},1]"#,
                r#"["g","C",{"0":{"134":"192.0.2.x","138":"192.0.2.x"},"2":{"type":7,"134":"192.0.2.9","136":"relay","138":"turn:192.0.2.9","z":"192.0.2.x"}},1]"#,
            ),
            (r#"["g","C",{"0":null,"2":{"138":"192.0.2.9"}},1]"#, r#"["g","C",{"0":null,"2":{"138":"192.0.2.9"}},1]"#),
            (r#"["g","C",{"0":{"138":"192.0.2.9"}},1]"#, r#"["g","C",{"0":{"138":"192.0.2.9"}},1]"#),
        ] {
            assert_eq!(obfuscated(&mut obfuscator, line), expected, "{line}");
            let mut again = String::new();
            let mut other = Obfuscator::new();
            other.line(&Line::parse(of_sora).unwrap(), &mut again);
            assert!(!other.rewrite(&Line::parse(expected).unwrap(), &mut again), "{expected}");
        }
        let many: Vec<String> = (0..=MAX_RELAYS).map(|id| format!("\"e{id}\":{{\"type\":\"peer\"}}")).collect();
        obfuscated(&mut obfuscator, &format!("[\"g\",\"C\",{{{}}},1]", many.join(",")));
        let last = format!(r#"["g","C",{{"e{MAX_RELAYS}":{{"138":"192.0.2.9"}}}},1]"#);
        assert!(obfuscated(&mut obfuscator, &last).contains("192.0.2.x"));
    }

    #[test]
    fn a_member_that_is_called_an_address_is_one_whoever_says_it() {
        let line = r#"["g","PC_0",{"0":{"remoteAddress":"192.0.2.7:9","via":["192.0.2.7"],"peer_address":{"ip":"192.0.2.7"}}},1]"#;
        let hidden = r#"["g","PC_0",{"0":{"remoteAddress":"192.0.2.x:9","via":["192.0.2.7"],"peer_address":{"ip":"192.0.2.x"}}},1]"#;
        assert_eq!(obfuscated(&mut Obfuscator::new(), line), hidden);
    }
}
