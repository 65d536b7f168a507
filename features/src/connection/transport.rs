//! The transport: connection state, DTLS, clock, and the averages over the selected pairs.

use std::sync::LazyLock;

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;
use rtctrace_protocol::report::{Entry, Places, Report, Wanted};
use rtctrace_protocol::sora::CONNECTION as SORA_CONNECTION;

use crate::input::{self, Interval, Landmarks, SelectedPair};
use crate::limits;
use crate::table::ConnectionFeatures;

static OF_TRANSPORT: LazyLock<Wanted<2>> = LazyLock::new(|| Wanted::new(["bytesSent", "bytesReceived"]));
static OF_PAIR: LazyLock<Wanted<2>> = LazyLock::new(|| Wanted::new(["totalRoundTripTime", "responsesReceived"]));

/// Accumulates the features of the transport.
#[derive(Debug, Default)]
pub(crate) struct Transport {
    connected: bool,
    connection: Interval,
    clock_skew: Option<i64>,
    dtls: Option<Dtls>,
    round_trips: Vec<RoundTrips>,
    first_traffic: Option<Traffic>,
    last_traffic: Option<Traffic>,
    /// Where the transport and the pair have what is read of them.
    of_transport: Places<2>,
    of_pair: Places<2>,
}

#[derive(Debug)]
struct Dtls {
    role: Option<String>,
    version: Option<String>,
    srtp_cipher: Option<String>,
}

/// The last counters of one pair that was selected at some time.
#[derive(Debug)]
struct RoundTrips {
    pair: Box<str>,
    total_time: f64,
    responses: f64,
}

/// The byte counters of a transport at some time.
#[derive(Debug, Clone, Copy)]
struct Traffic {
    time: f64,
    sent: Option<f64>,
    received: Option<f64>,
}

impl Transport {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        if event.method == SORA_CONNECTION {
            self.connected = true;
        }
        if event.method != "onconnectionstatechange" {
            return;
        }
        match input::word(event).as_deref() {
            Some("connecting") => self.connection.begin(event.time),
            Some("connected") => {
                self.connected = true;
                self.connection.finish(event.time);
            }
            _ => {}
        }
    }

    /// Other entries may be the transport and the pair now.
    pub(crate) fn reshaped(&mut self) {
        self.of_transport = Places::default();
        self.of_pair = Places::default();
    }

    pub(crate) fn report(
        &mut self,
        report: &Report,
        landmarks: &Landmarks,
        selected: Option<&SelectedPair<'_>>,
        time: f64,
    ) {
        if self.clock_skew.is_none() {
            let own_time = landmarks.connection(report).map(Entry::timestamp);
            // A report that says no time at all is at 0.
            self.clock_skew =
                own_time.filter(|own_time| *own_time > 0.0).and_then(|own_time| input::millis(time - own_time));
        }
        if self.dtls.is_none() {
            self.dtls = landmarks.transports(report).find_map(Dtls::of);
        }
        if let Some(selected) = selected {
            self.round_trips(selected.pair);
            self.of_transport.find(&OF_TRANSPORT, selected.transport);
            let counter = |at| self.of_transport.value(selected.transport, at).and_then(RawValue::as_f64);
            let traffic = Traffic { time, sent: counter(0), received: counter(1) };
            let both_ways = traffic.sent > Some(0.0) && traffic.received > Some(0.0);
            if both_ways {
                self.first_traffic.get_or_insert(traffic);
            }
            self.last_traffic = Some(traffic);
        }
    }

    fn round_trips(&mut self, pair: Entry<'_>) {
        self.of_pair.find(&OF_PAIR, pair);
        let counter = |at| self.of_pair.value(pair, at).and_then(RawValue::as_f64).unwrap_or(0.0);
        let (total_time, responses) = (counter(0), counter(1));
        if let Some(known) = self.round_trips.iter_mut().find(|known| *known.pair == *pair.id()) {
            known.total_time = total_time;
            known.responses = responses;
        } else if self.round_trips.len() < limits::SELECTED_PAIRS
            && let Some(pair) = input::identifier(pair.id())
        {
            self.round_trips.push(RoundTrips { pair, total_time, responses });
        }
    }

    /// Whether a report shows that it was connected: that DTLS was done, or traffic both ways.
    pub(crate) fn is_up(&self) -> bool {
        self.dtls.is_some() || self.first_traffic.is_some()
    }

    fn average_round_trip_time(&self) -> Option<f64> {
        let responses: f64 = self.round_trips.iter().map(|pair| pair.responses).sum();
        let total_time: f64 = self.round_trips.iter().map(|pair| pair.total_time).sum();
        (responses != 0.0).then(|| total_time / responses).filter(|average| average.is_finite())
    }

    fn average_bitrate(&self, counter: fn(&Traffic) -> Option<f64>) -> Option<f64> {
        let (first, last) = (self.first_traffic.as_ref()?, self.last_traffic.as_ref()?);
        let seconds = (last.time - first.time) / 1000.0;
        let bitrate = (counter(last)? - counter(first)?) * 8.0 / seconds;
        (seconds > 0.0 && bitrate.is_finite()).then_some(bitrate)
    }

    pub(crate) fn write(&self, features: &mut ConnectionFeatures) {
        features.connected = self.connected;
        features.connection_time = self.connection.millis();
        features.clock_skew = self.clock_skew;
        if let Some(dtls) = &self.dtls {
            features.dtls_role = dtls.role.clone();
            features.dtls_version = dtls.version.clone();
            features.srtp_cipher = dtls.srtp_cipher.clone();
        }
        features.average_stun_round_trip_time = self.average_round_trip_time();
        features.average_outbound_bitrate = self.average_bitrate(|traffic| traffic.sent);
        features.average_inbound_bitrate = self.average_bitrate(|traffic| traffic.received);
    }
}

impl Dtls {
    /// Of a transport. The role is known before the handshake, version and cipher only after it: a version marks the complete set.
    fn of(entry: Entry<'_>) -> Option<Self> {
        let complete = entry.member("tlsVersion").is_some_and(RawValue::truthy);
        complete.then(|| Self {
            role: input::entry_text(entry, "dtlsRole"),
            version: input::entry_text(entry, "tlsVersion"),
            srtp_cipher: input::entry_text(entry, "srtpCipher"),
        })
    }
}
