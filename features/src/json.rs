//! Features and findings as JSON text, without a serialiser: what the viewer needs, which is downloaded.

use rtctrace_protocol::json::write_string;

use crate::findings::{Finding, FindingTrack, Measure, Measured};
use crate::session::SessionFeatures;
use crate::table::{ClientFeatures, ConnectionFeatures, TrackFeatures};
use crate::value::{Feature, FeatureValue, UnixMillis};

/// An object that is being written.
pub(crate) struct Object<'o> {
    out: &'o mut String,
    is_empty: bool,
}

impl<'o> Object<'o> {
    pub(crate) fn begin(out: &'o mut String) -> Self {
        out.push('{');
        Self { out, is_empty: true }
    }

    /// Where the value of the next member is to be written.
    pub(crate) fn member(&mut self, name: &str) -> &mut String {
        if !self.is_empty {
            self.out.push(',');
        }
        self.is_empty = false;
        write_string(self.out, name);
        self.out.push(':');
        self.out
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        write_string(self.member(name), text);
    }

    pub(crate) fn value(&mut self, name: &str, value: FeatureValue<'_>) {
        value.write_json(self.member(name));
    }

    pub(crate) fn end(self) {
        self.out.push('}');
    }
}

/// Writes an array of what `write` writes of each.
pub(crate) fn array<T>(out: &mut String, all: impl IntoIterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    out.push('[');
    for (at, one) in all.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(out, one);
    }
    out.push(']');
}

impl SessionFeatures {
    /// The JSON that serde makes of it.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        let mut session = Object::begin(&mut out);
        client(session.member("client"), &self.client);
        array(session.member("connections"), &self.connections, connection);
        session.end();
        out
    }
}

fn client(out: &mut String, features: &ClientFeatures) {
    let mut client = Object::begin(out);
    values(&mut client, &mut features.values());
    for (name, json) in &features.other {
        client.member(name).push_str(json.text());
    }
    client.end();
}

fn connection(out: &mut String, features: &ConnectionFeatures) {
    let mut connection = Object::begin(out);
    connection.text("id", &features.id);
    values(&mut connection, &mut features.values());
    array(connection.member("tracks"), &features.tracks, track);
    connection.end();
}

fn track(out: &mut String, features: &TrackFeatures) {
    let mut track = Object::begin(out);
    values(&mut track, &mut features.values());
    track.end();
}

fn values<'f>(object: &mut Object<'_>, values: &mut dyn Iterator<Item = (&'static Feature, FeatureValue<'f>)>) {
    values.for_each(|(feature, value)| object.value(feature.name, value));
}

impl Finding {
    /// The JSON that serde makes of it.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        let mut finding = Object::begin(&mut out);
        finding.text("rule", self.rule.id);
        finding.text("severity", self.rule.severity.name());
        if let Some(connection) = &self.connection {
            finding.text("connection", connection);
        }
        if let Some(FindingTrack { kind, direction, mid, rid, track_identifier, stats_id }) = &self.track {
            let mut track = Object::begin(finding.member("track"));
            for (name, value) in [
                ("kind", kind.as_deref()),
                ("direction", *direction),
                ("mid", mid.as_deref()),
                ("rid", rid.as_deref()),
                ("trackIdentifier", track_identifier.as_deref()),
                ("statsId", stats_id.as_deref()),
            ] {
                if let Some(value) = value {
                    track.text(name, value);
                }
            }
            track.end();
        }
        for (name, UnixMillis(time)) in [("begin", self.begin), ("end", self.end)] {
            finding.value(name, FeatureValue::Integer(time));
        }
        let mut all = Object::begin(finding.member("values"));
        for Measured { name, measure, unit } in &self.values {
            let mut value = Object::begin(all.member(name));
            match measure {
                Measure::Number(number) => value.value("value", FeatureValue::Double(*number)),
                Measure::Text(text) => value.text("value", text),
            }
            if !unit.symbol().is_empty() {
                value.text("unit", unit.symbol());
            }
            value.end();
        }
        all.end();
        finding.text("sentence", &self.sentence());
        finding.end();
        out
    }
}
