//! A dump that can be given away: addresses lose their hosts, devices their names, addresses of pages and sockets their queries; user
//! agents stay.

use std::collections::HashMap;

use super::{Obfuscator, obfuscate_address};
use crate::json::{Kind, RawValue, write_string};
use crate::line::Line;

/// So many devices have a number each; a session has a few.
const DEVICES: usize = 1024;

/// Parts of a text to be replaced, in their order, and what by.
type Replacements<'a> = Vec<(RawValue<'a>, String)>;

/// Anonymizes the lines of one session, in their order: it remembers which number stands for which device, and what an [`Obfuscator`] does.
#[derive(Debug, Default)]
pub struct Anonymizer {
    addresses: Obfuscator,
    devices: HashMap<String, usize>,
}

impl Anonymizer {
    /// The header of a dump (its second line) without addresses and queries.
    #[must_use]
    pub fn metadata(&mut self, metadata: RawValue<'_>) -> String {
        let mut found = Replacements::new();
        for (name, value) in metadata.members() {
            match (&*name, value.as_str()) {
                ("userAgent", _) => {}
                // The path is there without the host.
                ("url", Some(url)) => replace(value, &url, without_query(&url), &mut found),
                ("remoteAddresses", _) => {
                    for element in value.elements() {
                        let Some(address) = element.as_str() else { continue };
                        replace(element, &address, &obfuscate_address(&address), &mut found);
                    }
                }
                _ => self.value(value, &mut found),
            }
        }
        replaced(metadata.text(), found)
    }

    /// The next line without what names a person or a place. One that has been through here before stays as it is.
    #[must_use]
    pub fn line(&mut self, line: &Line<'_>) -> String {
        let mut hidden = String::new();
        self.addresses.line(line, &mut hidden);
        // A report's texts are ids and the URLs of ICE servers.
        if line.method() == "getStats" {
            return hidden;
        }
        let Ok(line) = Line::parse(&hidden) else { return hidden };
        let mut found = Replacements::new();
        self.value(line.value(), &mut found);
        for extra in line.extra() {
            self.value(*extra, &mut found);
        }
        replaced(line.text(), found)
    }

    fn value<'a>(&mut self, value: RawValue<'a>, found: &mut Replacements<'a>) {
        match value.kind() {
            Kind::String => {
                let Some(text) = value.as_str() else { return };
                if is_url(&text) {
                    replace(value, &text, without_query(&text), found);
                }
            }
            Kind::Array => {
                // A track: kind, id, label and its streams.
                let is_track = matches!(value.at(0).and_then(RawValue::as_str).as_deref(), Some("audio" | "video"));
                for (at, element) in value.elements().enumerate() {
                    match is_track && at == 2 {
                        true => self.label(element, found),
                        false => self.value(element, found),
                    }
                }
            }
            Kind::Object => {
                // A device as enumerateDevices lists it; a data channel has a label, too, and no kind.
                let is_device = value.get("deviceId").is_some() || value.get("kind").is_some();
                for (name, member) in value.members() {
                    match is_device && name == "label" {
                        true => self.label(member, found),
                        false => self.value(member, found),
                    }
                }
            }
            Kind::Null | Kind::Bool | Kind::Number => {}
        }
    }

    /// A device's label: a number in place of its name; what USB says of its model stays.
    fn label<'a>(&mut self, value: RawValue<'a>, found: &mut Replacements<'a>) {
        let Some(label) = value.as_str().filter(|label| !label.is_empty()) else { return };
        if matches!(&*label, "remote audio" | "remote video") || is_numbered(&label) {
            return;
        }
        let next = self.devices.len() + 1;
        let number = match self.devices.get(&*label) {
            Some(number) => *number,
            None if next > DEVICES => 0,
            None => *self.devices.entry(label.clone().into_owned()).or_insert(next),
        };
        replace(value, &label, &format!("device {number}{}", usb_model(&label)), found);
    }
}

/// Whether this is what took the place of a label.
fn is_numbered(label: &str) -> bool {
    let name = label.strip_suffix(usb_model(label)).unwrap_or(label);
    let number = name.strip_prefix("device ");
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
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

fn is_url(text: &str) -> bool {
    ["http://", "https://", "ws://", "wss://", "blob:", "file:"].iter().any(|scheme| text.starts_with(scheme))
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

fn replace<'a>(value: RawValue<'a>, before: &str, after: &str, found: &mut Replacements<'a>) {
    if before != after {
        found.push((value, after.to_owned()));
    }
}

fn replaced(text: &str, found: Replacements<'_>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for (part, replacement) in found {
        // The part borrows from the text: its place there is the distance of the two.
        let start = (part.text().as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        out.push_str(text.get(copied..start).unwrap_or_default());
        write_string(&mut out, &replacement);
        copied = start + part.text().len();
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices_addresses_and_queries_are_gone_and_the_rest_stays() {
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
                r#"["x",null,{"page":"https://app.example/room","label":"chat"},"wss://a.example/",1]"#,
            ),
            (
                r#"[20,"PC_0",{"candidate":"candidate:1 1 UDP 2 192.0.2.7 5 typ host"},1]"#,
                r#"[20,"PC_0",{"candidate":"candidate:1 1 UDP 2 192.0.2.x 5 typ host"},1]"#,
            ),
            (
                r#"[39,"PC_0",{"iceServers":[{"urls":"turn:turn.example?transport=udp"}]},1]"#,
                r#"[39,"PC_0",{"iceServers":[{"urls":"turn:turn.example?transport=udp"}]},1]"#,
            ),
        ] {
            assert_eq!(anonymizer.line(&Line::parse(line).unwrap()), expected);
            assert_eq!(anonymizer.line(&Line::parse(expected).unwrap()), expected, "twice is once");
        }
    }

    #[test]
    fn the_header_keeps_the_browser_and_loses_the_person() {
        let header = r#"{"url":"/room?user=jane","userAgent":"Firefox","remoteAddresses":["192.0.2.7","::1"],"referer":"https://a.example/?q"}"#;
        let expected = r#"{"url":"/room","userAgent":"Firefox","remoteAddresses":["192.0.2.x","::1"],"referer":"https://a.example/"}"#;
        assert_eq!(Anonymizer::default().metadata(RawValue::parse(header).unwrap()), expected);
    }
}
