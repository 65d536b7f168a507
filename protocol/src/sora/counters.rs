//! [`Counters`]: a line of [`STATS`], in which stands what Sora counts itself.

use std::borrow::Cow;

use super::push::{Subject, millis_of};
use super::time::micros;
use super::translate::{NODE, STATS, pushed};
use crate::event::Event;
use crate::json::{Kind, RawValue};

/// What Sora counted of a connection, or of a node.
#[derive(Debug, Clone, Copy)]
pub struct Counters<'a> {
    /// Of which of them.
    pub subject: Subject,
    /// When, in ms since the Unix epoch.
    pub time: f64,
    entries: RawValue<'a>,
}

impl<'a> Counters<'a> {
    /// What an event has of them; `None` if it is another one.
    #[must_use]
    pub fn of(event: &Event<'a>) -> Option<Self> {
        let entries = event.value.raw().filter(|value| event.method == STATS && value.kind() == Kind::Array)?;
        let subject = pushed(&event.method, event.connection.as_deref())?;
        // As it was pushed: deltas of lines add up to it with an error.
        let stamp = event.extra.last().and_then(|stamp| micros(&stamp.get("timestamp")?.as_str()?));
        Some(Self { subject, time: stamp.map_or(event.time, |micros| micros as f64 / 1000.0), entries })
    }

    /// The entries: objects.
    pub fn entries(&self) -> impl Iterator<Item = RawValue<'a>> + use<'a> {
        self.entries.elements().filter(|entry| entry.kind() == Kind::Object)
    }

    /// When an entry says that it was, in ms since the Unix epoch: as a number, as clients' entries have it, or as text.
    #[must_use]
    pub fn time_of(entry: RawValue<'_>) -> Option<f64> {
        let told = entry.get("timestamp")?;
        match told.as_str() {
            Some(text) => micros(&text).map(|micros| micros as f64 / 1000.0),
            None => told.as_f64().map(millis_of),
        }
    }

    /// The node whose counters follow, if the event says so.
    #[must_use]
    pub fn node_of(event: &Event<'a>) -> Option<Cow<'a, str>> {
        let envelope = event.value.raw().filter(|_| event.method == NODE && event.connection.is_none())?;
        envelope.get("node_name")?.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::SessionDecoder;

    #[test]
    fn counters_have_the_time_of_their_push_and_their_entries() {
        let mut decoder = SessionDecoder::new();
        let mut of = |line: &str| {
            let event = decoder.decode(line).unwrap();
            let counters = Counters::of(&event);
            let texts = |counters: Counters<'_>| counters.entries().map(|entry| entry.text().to_owned()).collect();
            let told = counters.map(|counters| (counters.subject, counters.time, texts(counters)));
            (told, Counters::node_of(&event).map(Cow::into_owned))
        };
        let entries = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let stamp = r#"{"id":"A","timestamp":"2026-11-29T20:15:00.000001Z"}"#;
        assert_eq!(
            of(&format!(r#"[":sora.stats","C1",[{{"a":1}},7,{{}}],{stamp},1795983300000.5]"#)).0,
            Some((Subject::Connection, 1_795_983_300_000.001, entries(&[r#"{"a":1}"#, "{}"])))
        );
        assert_eq!(of(r#"[":sora.node",null,{"node_name":"n"},1]"#), (None, Some("n".to_owned())));
        let without = Some((Subject::Node, 1_795_983_300_002.5, Vec::new()));
        assert_eq!(of(r#"[":sora.stats",null,[],{"timestamp":"soon"},1]"#), (without, None));
        for other in
            [r#"[":sora.stats","C1",{},1]"#, r#"["g","C1",{},1]"#, r#"[":sora.node","C1",{"node_name":"n"},1]"#]
        {
            assert_eq!(of(other), (None, None), "{other}");
        }
    }

    #[test]
    fn a_time_of_an_entry_is_a_number_or_a_text() {
        let time = |told: &str| Counters::time_of(RawValue::parse(&format!(r#"{{"timestamp":{told}}}"#)).unwrap());
        assert_eq!(time("1795983300000.5"), Some(1_795_983_300_000.5));
        assert_eq!(time("1795983300000500"), Some(1_795_983_300_000.5));
        assert_eq!(time(r#""2026-11-29T20:15:00.0005Z""#), Some(1_795_983_300_000.5));
        for none in [r#""soon""#, "null", "{}", "true"] {
            assert_eq!(time(none), None, "{none}");
        }
    }
}
