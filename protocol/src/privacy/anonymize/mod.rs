//! A dump that can be given away: addresses lose their hosts, and what names a person, a host or what an application calls its things has a
//! stand-in ([`stand_ins`]): devices, labels, URLs ([`texts`]), what descriptions tell to persons ([`descriptions`]). Equal stays equal. User
//! agents, ids and what an application says in words of its own stay.

mod descriptions;
mod stand_ins;
mod texts;

use std::borrow::Cow;

use super::{Obfuscator, Replacement, in_order, obfuscate_address, write_replaced};
use crate::description::carries_description;
use crate::json::{Kind, RawValue, scan_string};
use crate::line::Line;
use stand_ins::{Class, StandIns};

/// Members whose texts name a person, or what persons meet in: of Jitsi's clients, of TURN servers, of Sora's channels, of our header. Without
/// what parts their words.
const NAMES: [&str; 16] = [
    "channelid",
    "clientid",
    "conference",
    "conferencename",
    "confname",
    "displayname",
    "email",
    "fullname",
    "nick",
    "nickname",
    "participantname",
    "room",
    "roomname",
    "user",
    "userid",
    "username",
];

/// Members whose texts let somebody in.
const CREDENTIALS: [&str; 8] =
    ["accesstoken", "authorization", "credential", "jwt", "password", "passwd", "secret", "token"];

/// The longest of these names, with what parts its words.
const LONGEST_NAME: usize = 20;

/// Protocols that are nobody's own: those of candidates and of transports.
const KNOWN_PROTOCOLS: [&str; 9] = ["udp", "tcp", "tls", "dtls", "ssltcp", "http", "https", "ws", "wss"];

/// Parts of a text to be replaced, and what by.
type Replacements<'a> = Vec<Replacement<'a>>;

/// Anonymizes the lines of one session, in their order: it remembers what stands for what, and what an [`Obfuscator`] does.
#[derive(Debug)]
pub struct Anonymizer {
    addresses: Obfuscator,
    stand_ins: StandIns,
}

impl Default for Anonymizer {
    fn default() -> Self {
        Self { addresses: Obfuscator::of_anybody(), stand_ins: StandIns::default() }
    }
}

impl Anonymizer {
    /// The header of a dump (its second line) without addresses and names.
    #[must_use]
    pub fn metadata(&mut self, metadata: RawValue<'_>) -> String {
        let mut found = Replacements::new();
        for (name, value) in metadata.members() {
            match (&*name, value.as_str()) {
                ("userAgent", Some(text)) => found.push((value, text.into_owned())),
                // The path is there without the host.
                ("url", Some(url)) if url.starts_with('/') => {
                    found.push((value, texts::path_without_names(&url, &mut self.stand_ins)));
                }
                ("city", Some(city)) => found.push((value, self.stand_ins.of(Class::City, &city))),
                ("remoteAddresses", _) => {
                    for element in value.elements() {
                        let Some(address) = element.as_str() else { continue };
                        found.push((element, obfuscate_address(&address).into_owned()));
                    }
                }
                _ => self.member(&name, value, false, &mut found),
            }
        }
        self.texts(metadata, true, &mut found);
        replaced(metadata.text(), found)
    }

    /// The next line without what names a person, a place or a host. One that has been through here before stays as it is.
    #[must_use]
    pub fn line(&mut self, line: &Line<'_>) -> String {
        let mut hidden = String::new();
        self.addresses.line(line, &mut hidden);
        let Ok(line) = Line::parse(&hidden) else { return hidden };
        let mut found = Replacements::new();
        let method = line.method();
        let value = line.value();
        match &*method {
            "getStats" | "getstats" => self.report(value, &mut found),
            "createDataChannel" => self.channel(value, 1, &mut found),
            "ondatachannel" => self.channel(value, 2, &mut found),
            method if method.starts_with("RTCDataChannel.") => self.channel(value, 2, &mut found),
            method if carries_description(method) => self.description(value, &mut found),
            _ => self.value(value, &mut found),
        }
        for extra in line.extra() {
            self.value(*extra, &mut found);
        }
        // Which of a relay's addresses stays is known to what hides addresses.
        let addresses = !matches!(
            &*method,
            "getStats"
                | "getstats"
                | "addIceCandidate"
                | "onicecandidate"
                | "RTCIceTransport.onselectedcandidatepairchange"
        );
        self.texts(value, addresses, &mut found);
        for extra in line.extra() {
            self.texts(*extra, true, &mut found);
        }
        replaced(line.text(), found)
    }

    /// Entries of a report, by names or by their tokens. Of a delta nobody knows the type, so it goes by its members.
    fn report<'a>(&mut self, report: RawValue<'a>, found: &mut Replacements<'a>) {
        for (_, entry) in report.members() {
            for (name, value) in entry.members() {
                match &*name {
                    "115" | "label" if value.kind() == Kind::String => self.stand_in(Class::Label, value, found),
                    "116" | "protocol" => self.protocol(value, found),
                    _ if value.kind() == Kind::Number => {}
                    name => self.member(name, value, false, found),
                }
            }
        }
    }

    /// A data channel: its label is among the first texts, which may be ids, too, and its options follow.
    fn channel<'a>(&mut self, value: RawValue<'a>, labels: usize, found: &mut Replacements<'a>) {
        for (at, element) in value.elements().enumerate() {
            match element.kind() {
                Kind::String if at < labels => {
                    let is_id = labels > 1
                        && at == 0
                        && element.as_str().is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
                    if !is_id {
                        self.stand_in(Class::Label, element, found);
                    }
                }
                Kind::Object => {
                    for (name, member) in element.members() {
                        match &*name {
                            "protocol" => self.protocol(member, found),
                            name => self.member(name, member, false, found),
                        }
                    }
                }
                _ => self.value(element, found),
            }
        }
    }

    /// A description, whose text may be one of which a codec left parts out.
    fn description<'a>(&mut self, value: RawValue<'a>, found: &mut Replacements<'a>) {
        for (name, member) in value.members() {
            match (&*name, member.as_str()) {
                ("sdp", Some(sdp)) => {
                    let sdp = descriptions::without_names(&sdp, &mut self.stand_ins).into_owned();
                    found.push((member, sdp));
                }
                (name, _) => self.member(name, member, false, found),
            }
        }
    }

    fn value<'a>(&mut self, value: RawValue<'a>, found: &mut Replacements<'a>) {
        match value.kind() {
            Kind::Array => {
                // A track: kind, id, label and its streams.
                let is_track = matches!(value.at(0).and_then(RawValue::as_str).as_deref(), Some("audio" | "video"));
                for (at, element) in value.elements().enumerate() {
                    match is_track && at == 2 {
                        true => self.device(element, found),
                        false => self.value(element, found),
                    }
                }
            }
            Kind::Object => {
                // A device as enumerateDevices lists it; a data channel has a label, too, and no kind.
                let is_device = value.get("deviceId").is_some() || value.get("kind").is_some();
                for (name, member) in value.members() {
                    self.member(&name, member, is_device, found);
                }
            }
            Kind::Null | Kind::Bool | Kind::Number | Kind::String => {}
        }
    }

    fn member<'a>(&mut self, name: &str, value: RawValue<'a>, is_device: bool, found: &mut Replacements<'a>) {
        if value.kind() != Kind::String {
            return self.value(value, found);
        }
        match name {
            "label" if is_device => return self.device(value, found),
            "label" => return self.stand_in(Class::Label, value, found),
            "node_name" => return self.stand_in(Class::Node, value, found),
            _ if name.len() > LONGEST_NAME => return,
            _ => {}
        }
        let bare: String =
            name.chars().filter(|part| !matches!(part, '_' | '-')).collect::<String>().to_ascii_lowercase();
        if CREDENTIALS.contains(&bare.as_str()) {
            self.stand_in(Class::Credential, value, found);
        } else if NAMES.contains(&bare.as_str()) {
            let Some(text) = value.as_str() else { return };
            // A room may be a URL, or an address of XMPP, which other texts name, too.
            let after = match texts::without_names(&text, false, &mut self.stand_ins) {
                Cow::Owned(after) if !text.contains(char::is_whitespace) => after,
                _ if has_stand_in(&text) => return,
                _ => self.stand_ins.of(Class::Name, &text),
            };
            found.push((value, after));
        }
    }

    fn stand_in<'a>(&mut self, class: Class, value: RawValue<'a>, found: &mut Replacements<'a>) {
        if let Some(text) = value.as_str() {
            found.push((value, self.stand_ins.of(class, &text)));
        }
    }

    fn protocol<'a>(&mut self, value: RawValue<'a>, found: &mut Replacements<'a>) {
        if value.as_str().is_some_and(|protocol| !KNOWN_PROTOCOLS.contains(&&*protocol)) {
            self.stand_in(Class::Protocol, value, found);
        }
    }

    /// A device's label: a number in place of its name; what USB says of its model stays.
    fn device<'a>(&mut self, value: RawValue<'a>, found: &mut Replacements<'a>) {
        let Some(label) = value.as_str() else { return };
        if matches!(&*label, "remote audio" | "remote video") {
            return;
        }
        let model = usb_model(&label);
        if !label.strip_suffix(model).is_some_and(|name| Class::Device.has_stand_in(name)) {
            found.push((value, format!("{}{model}", self.stand_ins.of(Class::Device, &label))));
        }
    }

    /// All texts of a value, names of members among them, that have no stand-in yet.
    fn texts<'a>(&mut self, value: RawValue<'a>, addresses: bool, found: &mut Replacements<'a>) {
        let text = value.text();
        let mut at = 0;
        while let Some(length) = text.get(at..).and_then(|rest| rest.find('"')) {
            let start = at + length;
            let Ok(end) = scan_string(text.as_bytes(), start) else { return };
            at = end;
            let string = RawValue::slice(text, start, end);
            // Most have none of what a URL, a mailbox or an address is told by.
            if !string.text().bytes().any(|byte| matches!(byte, b':' | b'.' | b'@' | b'\\')) {
                continue;
            }
            let Some(before) = string.as_str() else { continue };
            let after = match descriptions::is_description(&before) {
                true => descriptions::without_names(&before, &mut self.stand_ins),
                false => texts::without_names(&before, addresses, &mut self.stand_ins),
            };
            if let Cow::Owned(after) = after {
                found.push((string, after));
            }
        }
    }
}

/// ` (vendor:product)` at a label's end, four hexadecimal digits each.
fn usb_model(label: &str) -> &str {
    let Some(start) = label.rfind(" (") else { return "" };
    let model = label.get(start..).unwrap_or_default();
    let inside = model.strip_prefix(" (").and_then(|model| model.strip_suffix(')')).unwrap_or_default();
    let is_id = |text: &str| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_model = inside.split_once(':').is_some_and(|(vendor, product)| is_id(vendor) && is_id(product));
    if is_model { model } else { "" }
}

/// Whether a URL, or an address of mail or XMPP, has lost its host already.
fn has_stand_in(text: &str) -> bool {
    let mut behind = text.split("://").skip(1).chain(text.split('@').skip(1));
    behind.any(|host| {
        host.split(['/', ':']).next().is_some_and(|host| host == "localhost" || Class::Host.has_stand_in(host))
    })
}

/// The text with its parts replaced.
fn replaced(text: &str, found: Replacements<'_>) -> String {
    let mut found = in_order(found);
    found.retain(|(part, replacement)| part.as_str().as_deref() != Some(replacement.as_str()));
    let mut out = String::with_capacity(text.len());
    write_replaced(text, found, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices_addresses_and_hosts_are_gone_and_the_rest_stays() {
        let mut anonymizer = Anonymizer::default();
        for (line, expected) in [
            (
                r#"[61,null,[["audio","id","Jane's AirPods","s"],["video","id2","HD Cam (046d:0825)","s"]],"60-0",1]"#,
                r#"[61,null,[["audio","id","device 1","s"],["video","id2","device 2 (046d:0825)","s"]],"60-0",1]"#,
            ),
            (r#"[30,"PC_0",["audio","id","Jane's AirPods","s"],1]"#, r#"[30,"PC_0",["audio","id","device 1","s"],1]"#),
            (r#"[22,"PC_0",["video","id","remote video"],1]"#, r#"[22,"PC_0",["video","id","remote video"],1]"#),
            (
                r#"["devices",null,[{"kind":"audioinput","label":"Desk mic"}],1]"#,
                r#"["devices",null,[{"kind":"audioinput","label":"device 3"}],1]"#,
            ),
            (
                r#"["x",null,{"page":"https://app.example/room?user=jane#top","label":"chat"},"wss://a.example/?t=1",1]"#,
                r#"["x",null,{"page":"https://host-1/path-1","label":"label-1"},"wss://host-2/",1]"#,
            ),
            (
                r#"["createDataChannel","PC_0",["chat",{"id":1,"protocol":"jane"}],1]"#,
                r#"["createDataChannel","PC_0",["label-1",{"id":1,"protocol":"protocol-1"}],1]"#,
            ),
            (r#"["ondatachannel","PC_0",["1","chat"],1]"#, r#"["ondatachannel","PC_0",["1","label-1"],1]"#),
            (
                r#"["RTCDataChannel.onerror","PC_0",[null,"chat","no https://app.example/x"],1]"#,
                r#"["RTCDataChannel.onerror","PC_0",[null,"label-1","no https://host-1/path-2"],1]"#,
            ),
            (
                r#"["getStats","PC_0",{"D":{"type":5,"115":"chat","116":"jane","131":4},"L":{"116":"udp","138":"turn:a.example?transport=udp"}},1]"#,
                r#"["getStats","PC_0",{"D":{"type":5,"115":"label-1","116":"protocol-1","131":4},"L":{"116":"udp","138":"turn:host-2?transport=udp"}},1]"#,
            ),
            (
                r#"["getStats","PC_0",{"w":{"type":"app","note":"192.0.2.7","url":"https://a.example/?q"}},1]"#,
                r#"["getStats","PC_0",{"w":{"type":"app","note":"192.0.2.x","url":"https://host-2/"}},1]"#,
            ),
            (
                r#"["getStats","PC_0",{"r":{"type":"remote-candidate","candidateType":"relay","address":"203.0.113.9"}},1]"#,
                r#"["getStats","PC_0",{"r":{"type":"remote-candidate","candidateType":"relay","address":"203.0.113.9"}},1]"#,
            ),
            (
                r#"[20,"PC_0",{"candidate":"candidate:1 1 UDP 2 192.0.2.7 5 typ host"},1]"#,
                r#"[20,"PC_0",{"candidate":"candidate:1 1 UDP 2 192.0.2.x 5 typ host"},1]"#,
            ),
            (
                r#"[39,"PC_0",{"iceServers":[{"urls":"turn:turn.example?transport=udp","username":"jane","credential":"pw"}]},1]"#,
                r#"[39,"PC_0",{"iceServers":[{"urls":"turn:host-3?transport=udp","username":"name-1","credential":"credential-1"}]},1]"#,
            ),
            (
                r#"["identity",null,{"displayName":"jane","confName":"room@muc.a.example","confID":"https://a.example/r","appName":"Meet"},1]"#,
                r#"["identity",null,{"displayName":"name-1","confName":"name-2@host-4","confID":"https://host-2/path-3","appName":"Meet"},1]"#,
            ),
            (
                r#"["window.onerror",null,"at https://a.example/app.js?v=jane:1:2 of 192.0.2.7",1]"#,
                r#"["window.onerror",null,"at https://host-2/path-4:1:2 of 192.0.2.x",1]"#,
            ),
            (r#"[":rtctrace.x",null,["2001:db8:1:2::7"],1]"#, r#"[":rtctrace.x",null,["2001:db8:1x:x:x:x:x:x"],1]"#),
            (
                r#"["setLocalDescription","PC_0",{"type":"offer","sdp":"v=0\r\ns=jane\r\nm="},"1-0",1]"#,
                r#"["setLocalDescription","PC_0",{"type":"offer","sdp":"v=0\r\ns=-\r\nm="},"1-0",1]"#,
            ),
        ] {
            assert_eq!(anonymizer.line(&Line::parse(line).unwrap()), expected);
            assert_eq!(anonymizer.line(&Line::parse(expected).unwrap()), expected, "twice is once");
        }
    }

    #[test]
    fn the_header_keeps_the_browser_and_loses_the_person() {
        let header = r#"{"url":"/room?user=jane","userAgent":"Firefox 1.2.3.4","remoteAddresses":["192.0.2.7","::1"],"referer":"https://a.example/?q","user":"jane","city":"Bonn","country":"DE"}"#;
        let expected = r#"{"url":"/path-1","userAgent":"Firefox 1.2.3.4","remoteAddresses":["192.0.2.x","::1"],"referer":"https://host-1/","user":"name-1","city":"city-1","country":"DE"}"#;
        let mut anonymizer = Anonymizer::default();
        assert_eq!(anonymizer.metadata(RawValue::parse(header).unwrap()), expected);
        assert_eq!(anonymizer.metadata(RawValue::parse(expected).unwrap()), expected, "twice is once");
    }
}
