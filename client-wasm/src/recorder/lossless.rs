//! Whatever happens to sockets, pages and clocks, a collector ends up with every line exactly once, in order, and what was
//! dropped is told: the recorder against a model of the collector that loses connections at random.

use proptest::prelude::*;
use rtctrace_protocol::event::SessionDecoder;

use super::*;
use crate::transport::{Effect, State};

/// The collector, and the network between.
#[derive(Default)]
struct Collector {
    lines: Vec<String>,
    /// Frames that the present socket has taken and the collector has not.
    in_flight: Vec<String>,
    /// The number of the next line through the present socket.
    position: usize,
    is_connected: bool,
    is_over: bool,
}

impl Collector {
    fn take(&mut self, from: usize, body: &str) -> usize {
        assert!(from <= self.lines.len(), "a gap: {from} after {}", self.lines.len());
        for (number, line) in (from..).zip(body.lines()) {
            match self.lines.get(number) {
                Some(held) => assert_eq!(held, line, "line {number} changed"),
                None => self.lines.push(line.to_owned()),
            }
        }
        from + body.lines().count()
    }

    fn deliver(&mut self, frames: usize) {
        for frame in self.in_flight.drain(..frames.min(self.in_flight.len())).collect::<Vec<_>>() {
            self.position = self.take(self.position, &frame);
        }
    }

    fn cut(&mut self) {
        self.in_flight.clear();
        self.is_connected = false;
    }
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    Event(bool),
    Report(u32, bool),
    Time(i64),
    Welcome,
    Deliver(usize),
    Ack,
    Lose { delivered: usize, code: u16 },
    Hide,
    Show,
    Online,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => any::<bool>().prop_map(Step::Event),
        6 => (0..3_u32, any::<bool>()).prop_map(|(connection, grows)| Step::Report(connection, grows)),
        6 => prop_oneof![6 => 0..300_i64, 2 => 300..40_000_i64, 1 => -5_000..0_i64, 1 => Just(7_200_000_i64)].prop_map(Step::Time),
        4 => Just(Step::Welcome),
        4 => (1..4_usize).prop_map(Step::Deliver),
        3 => Just(Step::Ack),
        2 => (0..3_usize, prop::sample::select(vec![1000, 1001, 1006, 1011, 1012, 1013])).prop_map(|(delivered, code)| Step::Lose { delivered, code }),
        1 => Just(Step::Hide),
        1 => Just(Step::Show),
        1 => Just(Step::Online),
    ]
}

struct World {
    recorder: Recorder,
    collector: Collector,
    now: i64,
    events: u64,
    /// Of each report, by connection and time: what must be read back.
    reports: Vec<(u32, u64, String)>,
    sequence: u64,
    beacons: u32,
}

impl World {
    fn new(limit: usize) -> Self {
        let mut recorder = Recorder::new(limit, 7, false, 1_000_000);
        recorder.handle(Input::Start, 1_000_000);
        let mut world = Self {
            recorder,
            collector: Collector::default(),
            now: 1_000_000,
            events: 0,
            reports: Vec::new(),
            sequence: 0,
            beacons: 0,
        };
        world.pump();
        world
    }

    fn handle(&mut self, input: Input<'_>) {
        self.recorder.handle(input, self.now);
        self.pump();
    }

    /// Carries the effects out, and the timers that are due.
    fn pump(&mut self) {
        for _ in 0..1000 {
            while let Some(effect) = self.recorder.transport.poll_effect() {
                match effect {
                    Effect::Connect { .. } => {
                        self.collector.cut();
                        self.collector.is_connected = true;
                        self.collector.position = usize::MAX;
                    }
                    Effect::Send(frame) => {
                        assert!(self.collector.is_connected, "sent without a socket");
                        self.collector.in_flight.push(frame);
                    }
                    Effect::Disconnect { .. } => self.collector.cut(),
                    Effect::Beacon { from, body } => {
                        assert!(body.len() <= 32 * 1024);
                        self.beacons += 1;
                        // A browser may have no room for it, and the collector refuses what has a gap before it.
                        if self.beacons.is_multiple_of(3) {
                            self.recorder.handle(Input::BeaconRefused, self.now);
                        } else if from as usize <= self.collector.lines.len() {
                            self.collector.take(from as usize, &body);
                        }
                    }
                    Effect::FirstFlush { milliseconds } => assert!(milliseconds >= 0),
                    Effect::Over { .. } => self.collector.is_over = true,
                }
            }
            if self.recorder.deadline().is_none_or(|deadline| deadline > self.now) {
                return;
            }
            self.recorder.handle(Input::Tick { buffered: 0 }, self.now);
        }
        panic!("the timer never rests: {:?} at {}", self.recorder.deadline(), self.now);
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Event(is_application) => {
                self.events += 1;
                let method = if is_application { ":note" } else { "ontrack" };
                self.recorder.record(method, None, &self.events.to_string(), "", self.now);
                self.pump();
            }
            Step::Report(connection, grows) => {
                self.sequence += 1;
                let number = self.sequence;
                let extra = if grows { format!(",\"m{}\":\"{}\"", number % 5, "x".repeat(900)) } else { String::new() };
                let entry =
                    format!("\"timestamp\":{number},\"type\":\"transport\",\"bytesSent\":{}{extra}", number / 3);
                let expected = format!("{{\"0\":{{\"id\":\"0\",{entry}}}}}");
                self.reports.push((connection, number, expected));
                let mut text = format!("{{\"T\":{{\"id\":\"T\",{entry}}}}}");
                self.recorder.report(ConnectionId(connection), &mut text, "", self.now);
                self.pump();
            }
            Step::Time(by) => {
                self.now += by;
                self.pump();
            }
            Step::Welcome => {
                if self.collector.is_connected && self.collector.position == usize::MAX {
                    self.collector.position = self.collector.lines.len();
                    let frame = format!(r#"{{"type":"welcome","received":{}}}"#, self.collector.lines.len());
                    self.handle(Input::Frame(&frame));
                }
            }
            Step::Deliver(frames) => self.collector.deliver(frames),
            Step::Ack => {
                if self.collector.is_connected && self.collector.position != usize::MAX {
                    let frame = format!(r#"{{"type":"ack","received":{}}}"#, self.collector.lines.len());
                    self.handle(Input::Frame(&frame));
                }
            }
            Step::Lose { delivered, code } => {
                if self.collector.is_connected {
                    self.collector.deliver(delivered);
                    self.collector.cut();
                    self.handle(Input::Closed { code });
                }
            }
            Step::Hide => {
                self.handle(Input::Hidden);
                self.handle(Input::PageHide);
            }
            Step::Show => self.handle(Input::Shown),
            Step::Online => self.handle(Input::Online),
        }
    }

    /// The network is good from now on, and the application ends the recording.
    fn finish(&mut self) {
        self.handle(Input::Shown);
        for _ in 0..50 {
            self.step(&Step::Welcome);
            self.step(&Step::Deliver(usize::MAX));
            self.step(&Step::Ack);
            self.step(&Step::Time(100));
        }
        self.handle(Input::Close);
        for _ in 0..20 {
            self.step(&Step::Deliver(usize::MAX));
            self.step(&Step::Ack);
            self.step(&Step::Time(100));
        }
        assert!(self.collector.is_over);
        assert_eq!(self.recorder.transport.state(), State::Closed);
    }

    /// Holds what the collector has against what happened.
    fn check(&self) {
        let mut decoder = SessionDecoder::new();
        let (mut last_time, mut last_event, mut events, mut reports, mut told) = (0.0, 0, 0, 0, (0, 0));
        for (at, line) in self.collector.lines.iter().enumerate() {
            let event = decoder.decode(line).unwrap();
            assert!(event.time >= last_time, "time falls at line {at}");
            last_time = event.time;
            let value = event.value.to_json();
            match &*event.method {
                ":note" | "ontrack" => {
                    let number: u64 = value.parse().unwrap();
                    assert!(number > last_event, "event {number} after {last_event}");
                    last_event = number;
                    events += 1;
                }
                "getStats" => {
                    let time = event.value.report().unwrap().timestamp() as u64;
                    let id = event.connection.as_deref().unwrap();
                    let (connection, _, expected) = &self.reports[time as usize - 1];
                    assert_eq!(id, format!("PC_{connection}"));
                    assert!(same_members(&value, expected), "{value} is not {expected}");
                    reports += 1;
                }
                ":rtctrace.dropped" => {
                    let count = |name| event.value.raw().and_then(|raw| raw.get(name)).and_then(|raw| raw.as_count());
                    told.0 += count("reports").unwrap_or(0);
                    told.1 += count("lines").unwrap_or(0);
                }
                "close" => assert_eq!(at + 1, self.collector.lines.len()),
                other => panic!("{other}"),
            }
        }
        let dropped = self.recorder.transport.dropped();
        assert_eq!(events + dropped.events, self.events);
        assert_eq!(reports + dropped.reports, self.sequence);
        assert_eq!(dropped.events + dropped.reports, told.0 + told.1);
    }
}

/// Whether two reports are equal but for the order of their members.
fn same_members(a: &str, b: &str) -> bool {
    let sorted = |text: &str| {
        let mut members: Vec<String> = text.split([',', '{', '}']).map(str::to_owned).collect();
        members.sort();
        members
    };
    sorted(a) == sorted(b)
}

proptest! {
    #[test]
    fn every_line_arrives_once_in_order_and_can_be_read(
        limit in prop::sample::select(vec![4_000_000, 20_000, 6_000]),
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut world = World::new(limit);
        for step in &steps {
            world.step(step);
            if world.collector.is_over {
                break;
            }
        }
        prop_assert!(!world.collector.is_over);
        world.finish();
        world.check();
        if limit == 4_000_000 {
            prop_assert_eq!(world.recorder.transport.dropped().events, 0);
        }
    }
}
