//! What a session description says of persons (RFC 8866, section 5, and RFC 5576, section 6.1): a session's name, what it is about, who
//! is to be asked, and the names that endpoints have in RTCP. What is in it of media and of ways between them stays.

use std::borrow::Cow;

use super::stand_ins::{Class, StandIns};
use super::texts;

/// Lines that tell something to persons.
const TOLD: [&str; 4] = ["s=", "i=", "e=", "p="];

/// The line's value when there is nothing to tell.
const NOTHING: &str = "-";

/// Whether a text is a description: it begins with its version.
pub(super) fn is_description(text: &str) -> bool {
    text.starts_with("v=0\r") || text.starts_with("v=0\n")
}

/// The description, line by line, so that its parts stay those of a compressed one.
pub(super) fn without_names<'t>(sdp: &'t str, stand_ins: &mut StandIns) -> Cow<'t, str> {
    let mut out = String::new();
    let mut changed = false;
    for line in sdp.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let after = line_without_names(content, stand_ins);
        changed |= after != content;
        out.push_str(&after);
        out.push_str(line.get(content.len()..).unwrap_or_default());
    }
    if changed { Cow::Owned(out) } else { Cow::Borrowed(sdp) }
}

fn line_without_names<'t>(line: &'t str, stand_ins: &mut StandIns) -> Cow<'t, str> {
    if let Some((start, told)) = TOLD.iter().find_map(|start| Some((*start, line.strip_prefix(start)?))) {
        return if told.trim().is_empty() || told == NOTHING {
            Cow::Borrowed(line)
        } else {
            Cow::Owned(format!("{start}{NOTHING}"))
        };
    }
    if line.starts_with("a=ssrc:")
        && let Some((start, attribute)) = line.split_once(' ')
        && let Some((name, value)) = attribute.split_once(':')
    {
        let class = match name {
            "cname" => Class::Cname,
            "label" if !is_random(value) => Class::Label,
            _ => return Cow::Borrowed(line),
        };
        return Cow::Owned(format!("{start} {name}:{}", stand_ins.of(class, value)));
    }
    if let Some(label) = line.strip_prefix("a=label:").filter(|label| !is_random(label)) {
        return Cow::Owned(format!("a=label:{}", stand_ins.of(Class::Label, label)));
    }
    // The names of header extensions are URLs, and nobody's.
    if line.starts_with("u=") || line.contains("://") && !line.starts_with("a=extmap") {
        let (start, value) = line.split_at(line.find(['=', ':']).map_or(0, |at| at + 1));
        return match texts::without_names(value, false, stand_ins) {
            Cow::Owned(after) => Cow::Owned(format!("{start}{after}")),
            Cow::Borrowed(_) => Cow::Borrowed(line),
        };
    }
    Cow::Borrowed(line)
}

/// Whether a label is the id that browsers make up for a track, which other lines name, too.
fn is_random(label: &str) -> bool {
    let label = label.trim_matches(['{', '}']);
    label.len() == 36 && label.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_to_persons_is_gone_and_the_media_stay() {
        let mut stand_ins = StandIns::default();
        let sdp = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=Jane's room\r\ni=at 192.0.2.7\r\nu=https://a.example/jane?x\r\ne=jane\r\n\
             p=+49 30\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\ni=Jane\r\na=msid:- t\r\na=ssrc:1 cname:jane\r\n\
             a=ssrc:1 label:jane\r\na=ssrc:1 label:0b7e0e52-9a9a-4b7c-8b1e-3f3c9f0e2a11\r\na=ssrc:2 cname:jane\r\n\
             a=extmap:1 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n";
        let expected = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\ni=-\r\nu=https://host-1/path-1\r\ne=-\r\n\
             p=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\ni=-\r\na=msid:- t\r\na=ssrc:1 cname:cname-1\r\n\
             a=ssrc:1 label:label-1\r\na=ssrc:1 label:0b7e0e52-9a9a-4b7c-8b1e-3f3c9f0e2a11\r\na=ssrc:2 cname:cname-1\r\n\
             a=extmap:1 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n";
        assert!(is_description(sdp));
        assert_eq!(without_names(sdp, &mut stand_ins), expected);
        assert_eq!(without_names(expected, &mut stand_ins), expected, "twice is once");
        let compressed = "v=\r\nm=\r\nm=";
        assert!(matches!(without_names(compressed, &mut stand_ins), Cow::Borrowed(_)));
    }
}
