//! Which media sections may send, by the newest descriptions of both sides.

use std::collections::HashMap;

use rtctrace_protocol::event::Event;

use crate::input;
use crate::limits;

/// What the two sides say of a media section; both may do all until they say otherwise.
#[derive(Debug, Clone, Copy)]
struct Section {
    is_sent: bool,
    is_taken: bool,
}

/// Follows descriptions.
#[derive(Debug, Clone, Default)]
pub(super) struct Directions {
    sections: HashMap<Box<str>, Section>,
}

impl Directions {
    /// Whether this side may send in that media section, as far as that is known.
    pub(super) fn may_send(&self, mid: &str) -> bool {
        self.sections.get(mid).is_none_or(|section| section.is_sent && section.is_taken)
    }

    pub(super) fn event(&mut self, event: &Event<'_>) {
        let is_local = match &*event.method {
            "setLocalDescription" | "setLocalDescriptionOnSuccess" => true,
            "setRemoteDescription" | "setRemoteDescriptionOnSuccess" => false,
            _ => return,
        };
        let Some(sdp) = input::description_sdp(event) else { return };
        // RFC 8866, section 6.7: of the session where a section says nothing, and else both ways.
        let mut sections = sdp.split("\nm=").map(Lines::of);
        let of_all = sections.next().and_then(|session| session.direction);
        for lines in sections {
            let Some(mid) = lines.mid.and_then(input::identifier) else { continue };
            if self.sections.len() >= limits::SECTIONS && !self.sections.contains_key(&mid) {
                continue;
            }
            let direction = lines.direction.or(of_all).unwrap_or("sendrecv");
            let section = self.sections.entry(mid).or_insert(Section { is_sent: true, is_taken: true });
            if is_local {
                section.is_sent = matches!(direction, "sendrecv" | "sendonly");
            } else {
                section.is_taken = matches!(direction, "sendrecv" | "recvonly");
            }
        }
    }
}

/// What is read of a part of a description.
#[derive(Debug, Default)]
struct Lines<'s> {
    mid: Option<&'s str>,
    direction: Option<&'s str>,
}

impl<'s> Lines<'s> {
    fn of(part: &'s str) -> Self {
        let mut lines = Self::default();
        for line in part.lines() {
            match line.strip_prefix("a=") {
                Some(word @ ("sendrecv" | "sendonly" | "recvonly" | "inactive")) => lines.direction = Some(word),
                Some(attribute) => lines.mid = attribute.strip_prefix("mid:").or(lines.mid),
                None => {}
            }
        }
        lines
    }
}
