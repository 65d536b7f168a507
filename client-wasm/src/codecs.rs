//! The codecs of a page's connections, and the buffer through which a report's text comes in.

use alloc::string::String;
use alloc::vec::Vec;

use rtctrace_protocol::description::{Description, DescriptionCodec, carries_description};
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::ReportEncoder;

use crate::ids::ConnectionId;

/// What one connection's lines build on.
#[derive(Debug)]
pub(crate) struct Codec {
    id: ConnectionId,
    pub(crate) reports: ReportEncoder,
    pub(crate) descriptions: DescriptionCodec,
}

/// The codecs of the connections that the page still has.
#[derive(Debug, Default)]
pub(crate) struct Codecs {
    present: Vec<Codec>,
    /// One bit for each connection that is gone. A reader goes on from what it knows of a connection; a codec that began
    /// anew under an old name would mislead it.
    gone: Vec<u64>,
}

impl Codecs {
    pub(crate) const fn new() -> Self {
        Self { present: Vec::new(), gone: Vec::new() }
    }

    /// The connection's codec; `None` once it is gone.
    pub(crate) fn of(&mut self, id: ConnectionId) -> Option<&mut Codec> {
        let known = self.present.iter().position(|codec| codec.id == id);
        let at = match known {
            Some(at) => at,
            None if self.gone.get(id.0 as usize / 64).is_some_and(|bits| bits >> (id.0 % 64) & 1 == 1) => return None,
            None => {
                let codec = Codec { id, reports: ReportEncoder::new(), descriptions: DescriptionCodec::new() };
                self.present.push(codec);
                self.present.len() - 1
            }
        };
        self.present.get_mut(at)
    }

    pub(crate) fn gone(&mut self, id: ConnectionId) {
        self.present.retain(|codec| codec.id != id);
        let word = id.0 as usize / 64;
        if self.gone.len() <= word {
            self.gone.resize(word + 1, 0);
        }
        if let Some(bits) = self.gone.get_mut(word) {
            *bits |= 1 << (id.0 % 64);
        }
    }

    /// What follows builds on nothing before it.
    pub(crate) fn restart(&mut self) {
        for codec in &mut self.present {
            codec.reports.reset();
            codec.descriptions = DescriptionCodec::new();
        }
    }

    /// The delta of a report, whose buffer is exchanged for an old one; `null` if it is no report.
    pub(crate) fn report(&mut self, id: ConnectionId, report: &mut String) -> String {
        let mut delta = String::new();
        let encoded = self.of(id).map(|codec| codec.reports.encode_from(report, &mut delta));
        if !matches!(encoded, Some(Ok(()))) {
            delta.push_str("null");
        }
        delta
    }

    /// The value of a line of the negotiation.
    pub(crate) fn description(&mut self, id: ConnectionId, method: &str, value: &str, tracking: &str) -> String {
        let Some(codec) = self.of(id) else { return String::from(value) };
        if !carries_description(method) {
            codec.descriptions.compress(method, tracking, None);
            return String::from(value);
        }
        let full = RawValue::parse(value).ok().and_then(Description::from_json);
        let mut out = String::new();
        match codec.descriptions.compress(method, tracking, full.as_ref()) {
            // The format has no description there, so a reader of another's leaves its value as it is.
            Some(_) if method == "setRemoteDescriptionOnSuccess" => return String::from(value),
            Some(description) => description.write_json(&mut out),
            None => out.push_str("null"),
        }
        out
    }
}

/// The buffer through which the page hands over a report's text. It wanders: a report's text stays with its codec, which
/// gives the buffer of the report before the last one back.
#[derive(Debug, Default)]
pub(crate) struct Input(Vec<u8>);

impl Input {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The address at which the page may write so many bytes.
    pub(crate) fn address(&mut self, bytes: usize) -> usize {
        if self.0.len() < bytes {
            // Reports grow by a digit here and there, and the first ones of a call lack much of what comes: a buffer that is
            // exchanged for each one must not be outgrown by that, minutes later.
            if self.0.capacity() < bytes {
                self.0.reserve_exact((bytes + bytes / 4).next_power_of_two() - self.0.len());
            }
            self.0.resize(bytes, 0);
        }
        self.0.as_ptr() as usize
    }

    /// What the page has written; empty if that is no text.
    pub(crate) fn take(&mut self, length: usize) -> String {
        let mut bytes = core::mem::take(&mut self.0);
        bytes.truncate(length);
        String::from_utf8(bytes).unwrap_or_default()
    }

    pub(crate) fn give_back(&mut self, buffer: String) {
        self.0 = buffer.into_bytes();
    }
}
