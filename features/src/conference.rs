//! The conference that a client takes part in, as Jitsi's application tells of it beside its connections: when it began, who speaks, how
//! faces look, how far the others are, and what serves it.

use std::collections::HashMap;

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::sorted_by;

use crate::input;
use crate::limits;
use crate::table::ClientFeatures;
use crate::value::UnixMillis;

/// Times (ms) beyond are none.
const MAX_TIME: f64 = 4e14;

/// A participant of the conference.
#[derive(Debug, Default)]
struct Endpoint {
    /// How often it became the dominant speaker, and for how long (ms) it was.
    turns: i64,
    spoken: f64,
    /// The round trip time (s) to it that was told last.
    round_trip_time: Option<f64>,
}

/// Seconds that a face showed something.
#[derive(Debug, Clone, Copy, Default)]
struct Sentiment {
    angry: f64,
    disgusted: f64,
    fearful: f64,
    happy: f64,
    neutral: f64,
    sad: f64,
    surprised: f64,
}

/// What the application has said of itself; each part is as it was told last.
#[derive(Debug, Default)]
struct Deployment {
    cross_region: Option<bool>,
    environment: Option<String>,
    environment_type: Option<String>,
    region: Option<String>,
    release_number: Option<String>,
    shard: Option<String>,
    user_region: Option<String>,
}

/// Accumulates what is told of the conference.
#[derive(Debug, Default)]
pub(crate) struct Conference {
    start: Option<f64>,
    /// This client, as the conference knows it.
    own: Option<Box<str>>,
    endpoints: HashMap<Box<str>, Endpoint>,
    /// Whether it was ever told who speaks.
    has_speakers: bool,
    /// Who is the dominant speaker, and since when.
    speaker: Option<(Box<str>, f64)>,
    last_round_trip_time: Option<f64>,
    sentiment: Option<Sentiment>,
    deployment: Deployment,
}

impl Conference {
    /// Whether an event of that name, of no connection, tells of a conference.
    pub(crate) fn is_told_by(method: &str) -> bool {
        matches!(method, "identity" | "conferenceStartTimestamp" | "dominantSpeaker" | "e2eRtt" | "faceLandmarks")
    }

    /// Takes in such an event.
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        let Some(value) = input::json(event) else { return };
        match &*event.method {
            "identity" => self.identity(value),
            "conferenceStartTimestamp" => self.start = time(value).or(self.start),
            "dominantSpeaker" => self.dominant_speaker(value, event.time),
            "e2eRtt" => self.round_trip_time(value),
            "faceLandmarks" => self.face(value),
            _ => {}
        }
    }

    /// A later one adds to an earlier one.
    fn identity(&mut self, value: RawValue<'_>) {
        if let Some(own) = endpoint_id(value.get("endpointId")) {
            self.own = Some(own);
        }
        let Some(told) = value.get("deploymentInfo") else { return };
        let deployment = &mut self.deployment;
        for (name, value) in told.members() {
            let text = || input::text(value).or_else(|| value.as_f64().map(|_| value.text().to_owned()));
            match &*name {
                "crossRegion" => deployment.cross_region = truth(value),
                "environment" => deployment.environment = text(),
                "envType" => deployment.environment_type = text(),
                "region" => deployment.region = text(),
                "releaseNumber" => deployment.release_number = text(),
                "shard" => deployment.shard = text(),
                "userRegion" => deployment.user_region = text(),
                _ => {}
            }
        }
    }

    /// One that names nobody ends the turn of who spoke.
    fn dominant_speaker(&mut self, value: RawValue<'_>, time: f64) {
        self.has_speakers = true;
        if let Some((before, since)) = self.speaker.take()
            && let Some(endpoint) = self.endpoint(&before)
        {
            endpoint.spoken += (time - since).max(0.0);
        }
        if let Some(speaker) = endpoint_id(value.get("dominantSpeakerEndpoint")) {
            if let Some(endpoint) = self.endpoint(&speaker) {
                endpoint.turns = endpoint.turns.saturating_add(1);
            }
            self.speaker = Some((speaker, time));
        }
    }

    /// `rtt` is in ms.
    fn round_trip_time(&mut self, value: RawValue<'_>) {
        let time = value.get("rtt").and_then(RawValue::as_f64).filter(|time| time.is_finite() && *time >= 0.0);
        let (Some(remote), Some(time)) = (endpoint_id(value.get("remoteEndpointId")), time) else { return };
        let seconds = time / 1000.0;
        self.last_round_trip_time = Some(seconds);
        if let Some(endpoint) = self.endpoint(&remote) {
            endpoint.round_trip_time = Some(seconds);
        }
    }

    /// `duration` is in seconds.
    fn face(&mut self, value: RawValue<'_>) {
        let shown = value.get("faceLandmarks").and_then(RawValue::as_str);
        let seconds = value.get("duration").and_then(RawValue::as_f64);
        let (Some(shown), Some(seconds)) = (shown, seconds.filter(|seconds| *seconds >= 0.0)) else { return };
        let sentiment = self.sentiment.get_or_insert_default();
        let sum = match &*shown {
            "angry" => &mut sentiment.angry,
            "disgusted" => &mut sentiment.disgusted,
            "fearful" => &mut sentiment.fearful,
            "happy" => &mut sentiment.happy,
            "neutral" => &mut sentiment.neutral,
            "sad" => &mut sentiment.sad,
            "surprised" => &mut sentiment.surprised,
            _ => return,
        };
        *sum += seconds;
    }

    /// A participant, which is new if it was not told of before.
    fn endpoint(&mut self, id: &str) -> Option<&mut Endpoint> {
        let is_own = self.own.as_deref() == Some(id);
        if self.endpoints.len() >= limits::ENDPOINTS && !is_own && !self.endpoints.contains_key(id) {
            return None;
        }
        Some(self.endpoints.entry(id.into()).or_default())
    }

    /// Fills in the features. `end`: of the session until now.
    pub(crate) fn write(&self, end: f64, features: &mut ClientFeatures) {
        features.conference_start_time = self.start.and_then(input::millis).map(UnixMillis);
        features.conference_duration = self.start.and_then(|start| input::millis((end - start).max(0.0)));
        if let Some(own) = self.own.as_deref().filter(|_| self.has_speakers) {
            let endpoint = self.endpoints.get(own);
            let open = self.speaker.as_ref().filter(|(speaker, _)| **speaker == *own);
            let open = open.map_or(0.0, |(_, since)| (end - since).max(0.0));
            features.dominant_speaker_changes = Some(endpoint.map_or(0, |endpoint| endpoint.turns));
            features.speaker_time = input::millis(endpoint.map_or(0.0, |endpoint| endpoint.spoken) + open);
        }
        if let Some(sentiment) = self.sentiment {
            features.sentiment_angry = Some(sentiment.angry);
            features.sentiment_disgusted = Some(sentiment.disgusted);
            features.sentiment_fearful = Some(sentiment.fearful);
            features.sentiment_happy = Some(sentiment.happy);
            features.sentiment_neutral = Some(sentiment.neutral);
            features.sentiment_sad = Some(sentiment.sad);
            features.sentiment_surprised = Some(sentiment.surprised);
        }
        let times: Vec<f64> = self.endpoints.values().filter_map(|endpoint| endpoint.round_trip_time).collect();
        // A sum of doubles depends on their order, and that of a map is none.
        let times = sorted_by(times, f64::total_cmp);
        features.end_to_end_round_trip_time_last = self.last_round_trip_time;
        features.end_to_end_round_trip_time_mean =
            (!times.is_empty()).then(|| times.iter().sum::<f64>() / times.len() as f64);
        features.end_to_end_round_trip_time_max = times.last().copied();
        let deployment = &self.deployment;
        let told = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        features.deployment_region = told(&deployment.region);
        features.deployment_user_region = told(&deployment.user_region);
        features.deployment_cross_region = deployment.cross_region;
        features.deployment_environment = told(&deployment.environment);
        features.deployment_environment_type = told(&deployment.environment_type);
        features.deployment_shard = told(&deployment.shard);
        features.deployment_release_number = told(&deployment.release_number);
    }
}

/// The id of a participant; applications say nobody as `"null"`, too.
fn endpoint_id(value: Option<RawValue<'_>>) -> Option<Box<str>> {
    let id = value?.as_str()?;
    input::identifier(&id).filter(|id| !matches!(&**id, "" | "null" | "undefined"))
}

/// A time (ms since the Unix epoch), as a number or as its text.
fn time(value: RawValue<'_>) -> Option<f64> {
    let time = match value.as_str() {
        Some(text) => RawValue::parse(&text).ok()?.as_f64(),
        None => value.as_f64(),
    };
    time.filter(|time| *time > 0.0 && *time <= MAX_TIME)
}

/// A truth, as one, as a number or as the text of either.
fn truth(value: RawValue<'_>) -> Option<bool> {
    match value.as_str() {
        Some(text) => RawValue::parse(&text).ok().filter(|inner| inner.as_str().is_none()).and_then(truth),
        None => value.as_bool().or_else(|| value.as_f64().map(|number| number != 0.0)),
    }
}
