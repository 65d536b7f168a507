//! What older Chromiums wrote in words of their own where newer ones write JSON: `sdpMid: 0, sdpMLineIndex: 0, candidate: ..`.
//! Each function makes JSON of one such text, or gives `None` for a text of another kind.

use crate::json::{Kind, RawValue, write_string};

/// What an update says, as JSON: JSON as it is, any other text as a string, no text as `null`.
pub(super) fn json_of(text: &str) -> String {
    if text.is_empty() {
        return "null".to_owned();
    }
    match RawValue::parse(text) {
        Ok(value) if matches!(value.kind(), Kind::Object | Kind::Array | Kind::String | Kind::Null) => {
            value.text().to_owned()
        }
        _ => quoted(text),
    }
}

pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_string(&mut out, text);
    out
}

/// JSON without the white space that Chromium writes for people.
pub(super) fn compact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut is_inside, mut is_escaped) = (false, false);
    for character in text.chars() {
        if is_inside || !matches!(character, ' ' | '\t' | '\n' | '\r') {
            out.push(character);
        }
        is_inside ^= character == '"' && !is_escaped;
        is_escaped = is_inside && character == '\\' && !is_escaped;
    }
    out
}

/// Appends a member to an object that is open.
pub(super) fn write_member(out: &mut String, name: &str, value: &str) {
    if !out.ends_with('{') {
        out.push(',');
    }
    write_string(out, name);
    out.push(':');
    out.push_str(value);
}

/// `type: offer, sdp: v=0..`
pub(super) fn description(text: &str) -> Option<String> {
    let (kind, sdp) = text.strip_prefix("type: ")?.split_once(", sdp: ")?;
    Some(format!("{{\"type\":{},\"sdp\":{}}}", quoted(kind), quoted(sdp)))
}

/// `sdpMid: 0, sdpMLineIndex: 0, candidate: candidate:..`
pub(super) fn candidate(text: &str) -> Option<String> {
    text.starts_with("sdpMid: ").then(|| object(text, ", ", &["sdpMid", "candidate", "usernameFragment"])).flatten()
}

/// `url: ..`, and a line for each of the others.
pub(super) fn candidate_error(text: &str) -> Option<String> {
    text.starts_with("url: ").then(|| object(text, "\n", &[])).flatten()
}

/// `options: {offerToReceiveVideo: 1, iceRestart: true}`
pub(super) fn options(text: &str) -> Option<String> {
    object(text.strip_prefix("options: {")?.strip_suffix('}')?, ", ", &[])
}

/// `label: chat, ordered: true`
pub(super) fn channel(text: &str) -> Option<String> {
    text.starts_with("label: ").then(|| object(text, ", ", &["label", "protocol"])).flatten()
}

/// `{ iceServers: [stun:.., turn:..], iceTransportPolicy: all }`. Which addresses are of one server the text does not say.
pub(super) fn configuration(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let (servers, rest) = inner.strip_prefix("iceServers: [")?.split_once(']')?;
    let mut out = String::from("{\"iceServers\":[");
    for url in servers.split(", ").filter(|url| !url.is_empty()) {
        out.push_str(if out.ends_with('[') { "{\"urls\":" } else { ",{\"urls\":" });
        write_string(&mut out, url);
        out.push('}');
    }
    out.push(']');
    for (name, value) in rest.split(", ").filter_map(|part| part.trim().split_once(": ")) {
        write_member(&mut out, name, &scalar(value.trim_matches('"')));
    }
    out.push('}');
    Some(out)
}

/// `Caused by: addTrack`, an empty line, and a transceiver as an object of JavaScript, a member a line.
pub(super) fn transceiver(text: &str) -> Option<String> {
    let (reason, object) = text.strip_prefix("Caused by: ")?.split_once("\n\n")?;
    let (index, members) = object.strip_prefix("getTransceivers()[")?.split_once("]:{\n")?;
    let mut out = String::from("{");
    let mut is_whole = true;
    for line in members.lines() {
        let line = line.trim();
        let member = line.strip_suffix(',').and_then(|line| line.split_once(':'));
        if let Some(name) = line.strip_suffix(":{") {
            write_member(&mut out, name, "{");
        } else if line == "}," {
            out.push('}');
        } else if let Some((name, value)) =
            member.filter(|(name, _)| name.bytes().all(|byte| byte.is_ascii_alphabetic()))
        {
            write_member(&mut out, name, &of_javascript(value));
        } else {
            is_whole &= line == "}";
        }
    }
    if !is_whole {
        write_member(&mut out, "text", &quoted(text));
    }
    write_member(&mut out, "reason", &quoted(reason));
    write_member(&mut out, "transceiverIndex", &scalar(index));
    out.push('}');
    // A text that was cut short, or is none of Chromium's, is kept as it is.
    RawValue::parse(&out).is_ok().then_some(out)
}

/// `null`, `'a string'`, or `['an','array']`.
fn of_javascript(value: &str) -> String {
    let unquoted = |text: &str| text.trim_matches('\'').to_owned();
    if let Some(inner) = value.strip_prefix('[').and_then(|value| value.strip_suffix(']')) {
        let items: Vec<String> =
            inner.split(',').filter(|item| !item.is_empty()).map(|item| quoted(&unquoted(item))).collect();
        return format!("[{}]", items.join(","));
    }
    if value.starts_with('\'') { quoted(&unquoted(value)) } else { scalar(value) }
}

/// An object of `name: value` parts; a value that is a number, `true`, `false` or `null` is that, unless its name is in `strings`.
fn object(text: &str, between: &str, strings: &[&str]) -> Option<String> {
    let mut out = String::from("{");
    for part in text.split(between) {
        let (name, value) = part.split_once(": ").or_else(|| Some((part.strip_suffix(':')?, "")))?;
        let value = if strings.contains(&name) && value != "null" { quoted(value) } else { scalar(value) };
        write_member(&mut out, name, &value);
    }
    out.push('}');
    Some(out)
}

fn scalar(text: &str) -> String {
    match RawValue::parse(text) {
        Ok(value) if matches!(value.kind(), Kind::Number | Kind::Bool | Kind::Null) => value.text().to_owned(),
        _ => quoted(text),
    }
}
