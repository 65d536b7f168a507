//! Where the names of devices stand in a line: labels of tracks, and of what `enumerateDevices` lists. They come out empty, as with
//! the client's own `redact.labels`; the labels of data channels are the application's and stay.

use super::{Replacement, is_free};
use crate::json::{Kind, RawValue};
use crate::line::Line;

/// What the names of such methods end in: those with tracks, streams or devices in their value (spec of events: a track is
/// `[kind, id, label, ...stream ids]`).
const ENDINGS: [&str; 5] = ["rack", "tream", "Transceiver", "MediaOnSuccess", "enumerateDevices"];

/// Whether the value of a method can hold labels. Of the application's own events nobody knows what they hold.
pub(super) fn carries_labels(method: &str) -> bool {
    !method.starts_with(':') && (is_free(method) || ENDINGS.iter().any(|ending| method.ends_with(ending)))
}

/// Finds the labels of a line, in the order of its text.
pub(super) fn find<'a>(line: &Line<'a>, found: &mut Vec<Replacement<'a>>) {
    look(line.value(), found);
    for extra in line.extra() {
        look(*extra, found);
    }
}

fn look<'a>(value: RawValue<'a>, found: &mut Vec<Replacement<'a>>) {
    match value.kind() {
        Kind::Array => {
            let is_track = matches!(value.at(0).and_then(RawValue::as_str).as_deref(), Some("audio" | "video"));
            for (at, element) in value.elements().enumerate() {
                if is_track && at == 2 && element.kind() == Kind::String {
                    empty(element, found);
                } else {
                    look(element, found);
                }
            }
        }
        Kind::Object => {
            for (name, member) in value.members() {
                if name == "label" && member.kind() == Kind::String {
                    empty(member, found);
                } else {
                    look(member, found);
                }
            }
        }
        Kind::Null | Kind::Bool | Kind::Number | Kind::String => {}
    }
}

fn empty<'a>(label: RawValue<'a>, found: &mut Vec<Replacement<'a>>) {
    if label.text() != "\"\"" {
        found.push((label, String::new()));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Hidden, Obfuscator};
    use crate::line::Line;

    #[test]
    fn labels_come_out_empty_and_all_else_stays() {
        let mut obfuscator = Obfuscator::hiding(Hidden { addresses: true, labels: true });
        let mut hidden = |line: &str| {
            let mut out = String::new();
            obfuscator.line(&Line::parse(line).unwrap(), &mut out);
            out
        };
        for (line, expected) in [
            (
                r#"["addTrack","PC_0",["audio","t1","Ann's headset","s1"],1]"#,
                r#"["addTrack","PC_0",["audio","t1","","s1"],1]"#,
            ),
            (
                r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,[["audio","t1","Ann's headset"],["video","t2","Cam"]],"1-0",1]"#,
                r#"["navigator.mediaDevices.getUserMediaOnSuccess",null,[["audio","t1",""],["video","t2",""]],"1-0",1]"#,
            ),
            (
                r#"["replaceTrack","PC_0",[["video","t1","Cam"],null],"t9",1]"#,
                r#"["replaceTrack","PC_0",[["video","t1",""],null],"t9",1]"#,
            ),
            (
                r#"["addTransceiver","PC_0",["video",{"direction":"sendonly","streams":["a","b","c"]}],1]"#,
                r#"["addTransceiver","PC_0",["video",{"direction":"sendonly","streams":["a","b","c"]}],1]"#,
            ),
            (
                r#"["navigator.mediaDevices.enumerateDevices",null,[{"deviceId":"a","kind":"audioinput","label":"Ann\u0027s headset","groupId":"g"}],1]"#,
                r#"["navigator.mediaDevices.enumerateDevices",null,[{"deviceId":"a","kind":"audioinput","label":"","groupId":"g"}],1]"#,
            ),
            (
                r#"["createDataChannel","PC_0",["chat",{"label":"chat"}],1]"#,
                r#"["createDataChannel","PC_0",["chat",{"label":"chat"}],1]"#,
            ),
            (
                r#"["identity",null,{"devices":[{"label":"Ann's 192.0.2.7"}],"ip":"192.0.2.7","label":""},1]"#,
                r#"["identity",null,{"devices":[{"label":""}],"ip":"192.0.2.x","label":""},1]"#,
            ),
            (
                r#"["onicecandidateerror","PC_0",{"address":"192.0.2.7"},1]"#,
                r#"["onicecandidateerror","PC_0",{"address":"192.0.2.x"},1]"#,
            ),
        ] {
            assert_eq!(hidden(line), expected);
            assert_eq!(hidden(expected), expected, "twice is once");
        }
    }
}
