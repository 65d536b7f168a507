//! Which kinds of candidates were gathered and added, and how long the relays took.

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::RawValue;

use crate::input;
use crate::table::ConnectionFeatures;

/// The parts of a candidate line (RFC 8839, section 5.1) that features need.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Candidate<'a> {
    pub(crate) address: Option<&'a str>,
    kind: Option<&'a str>,
    tcp_type: Option<&'a str>,
}

impl<'a> Candidate<'a> {
    /// Reads what is there; a line that breaks off just lacks the rest.
    pub(crate) fn parse(line: &'a str) -> Self {
        let rest = line.strip_prefix("a=").unwrap_or(line);
        let mut words = rest.strip_prefix("candidate:").unwrap_or(rest).split(' ').skip(4);
        let mut candidate = Self { address: words.next(), kind: words.nth(2), tcp_type: None };
        while let (Some(name), Some(value)) = (words.next(), words.next()) {
            if name == "tcptype" {
                candidate.tcp_type = Some(value);
            }
        }
        candidate
    }

    fn is_connectable_tcp(&self) -> bool {
        self.tcp_type == Some("passive")
    }
}

/// The kinds of candidates of one side.
#[derive(Debug, Default)]
struct Kinds {
    host: bool,
    mdns: bool,
    srflx: bool,
    relay: bool,
}

impl Kinds {
    fn add(&mut self, candidate: &Candidate<'_>) {
        match candidate.kind {
            Some("host") => {
                self.host = true;
                self.mdns |= candidate.address.is_some_and(|address| address.ends_with(".local"));
            }
            Some("srflx") => self.srflx = true,
            Some("relay") => self.relay = true,
            _ => {}
        }
    }
}

/// Accumulates the features of candidates.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    added: Kinds,
    added_null: bool,
    added_connectable_tcp: bool,
    gathered: Kinds,
    gathering: Gathering,
}

impl Candidates {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        match &*event.method {
            "addIceCandidate" => {
                self.added_null |= input::json(event).is_some_and(RawValue::is_null);
                if let Some(line) = input::member(event, "candidate").and_then(RawValue::as_str) {
                    let candidate = Candidate::parse(&line);
                    self.added.add(&candidate);
                    self.added_connectable_tcp |= candidate.is_connectable_tcp();
                }
            }
            "setRemoteDescription" | "setRemoteDescriptionOnSuccess" if !self.added_connectable_tcp => {
                let sdp = input::description_sdp(event).unwrap_or_default();
                let mut lines = sdp.split('\n').map(str::trim).filter(|line| line.starts_with("a=candidate:"));
                self.added_connectable_tcp = lines.any(|line| Candidate::parse(line).is_connectable_tcp());
            }
            "onicecandidate" => {
                if let Some(line) = input::member(event, "candidate").and_then(RawValue::as_str) {
                    self.gathered.add(&Candidate::parse(&line));
                }
                self.gathering.candidate(event);
            }
            "onicegatheringstatechange" => self.gathering.state(event),
            _ => {}
        }
    }

    pub(crate) fn write(&self, features: &mut ConnectionFeatures) {
        features.added_host_candidate = Some(self.added.host);
        features.added_mdns_candidate = Some(self.added.mdns);
        features.added_srflx_candidate = Some(self.added.srflx);
        features.added_turn_candidate = Some(self.added.relay);
        features.added_null_candidate = Some(self.added_null);
        features.added_connectable_ice_tcp_candidate = Some(self.added_connectable_tcp);
        features.gathered_host_candidate = Some(self.gathered.host);
        features.gathered_mdns_candidate = Some(self.gathered.mdns);
        features.gathered_srflx_candidate = Some(self.gathered.srflx);
        features.gathered_turn_candidate = Some(self.gathered.relay);
        features.gathering_time_turn_udp = self.gathering.udp.and_then(input::millis);
        features.gathering_time_turn_tcp = self.gathering.tcp.and_then(input::millis);
        features.gathering_time_turn_tls = self.gathering.tls.and_then(input::millis);
    }
}

/// The first time that gathering ran, until it was complete.
#[derive(Debug, Default)]
struct Gathering {
    started: Option<f64>,
    complete: bool,
    udp: Option<f64>,
    tcp: Option<f64>,
    tls: Option<f64>,
}

impl Gathering {
    fn state(&mut self, event: &Event<'_>) {
        match input::word(event).as_deref() {
            // An ICE restart starts over before the first gathering is complete: the latest start counts.
            Some("gathering") => self.started = Some(event.time),
            Some("complete") => self.complete = true,
            _ => {}
        }
    }

    fn candidate(&mut self, event: &Event<'_>) {
        let Some(started) = self.started.filter(|_| !self.complete) else { return };
        let Some(protocol) = input::member(event, "relayProtocol").and_then(RawValue::as_str) else { return };
        let delay = match &*protocol {
            "udp" => &mut self.udp,
            "tcp" => &mut self.tcp,
            "tls" => &mut self.tls,
            _ => return,
        };
        delay.get_or_insert(event.time - started);
    }
}

#[cfg(test)]
mod tests {
    use super::Candidate;

    #[test]
    fn a_candidate_is_read_with_and_without_its_attribute_prefix() {
        let line = "candidate:1 1 tcp 1518280447 192.0.2.7 9 typ host tcptype passive generation 0";
        let candidate = Candidate::parse(line);
        assert_eq!(candidate.address, Some("192.0.2.7"));
        assert_eq!(candidate.kind, Some("host"));
        assert!(candidate.is_connectable_tcp());
        assert_eq!(Candidate::parse(&format!("a={line}")), candidate);
    }

    #[test]
    fn an_extension_is_found_only_at_a_name_s_place() {
        let shifted = Candidate::parse("candidate:1 1 tcp 1 192.0.2.7 9 typ host generation tcptype passive 0");
        assert!(!shifted.is_connectable_tcp());
        let dangling = Candidate::parse("candidate:1 1 tcp 1 192.0.2.7 9 typ host tcptype");
        assert!(!dangling.is_connectable_tcp());
    }

    #[test]
    fn a_line_that_breaks_off_lacks_the_rest() {
        assert_eq!(Candidate::parse("candidate:bogus"), Candidate::default());
        assert_eq!(Candidate::parse(""), Candidate::default());
        assert_eq!(Candidate::parse("candidate:1 1 udp 1 192.0.2.7").address, Some("192.0.2.7"));
        assert_eq!(Candidate::parse("candidate:1 1 udp 1 192.0.2.7 9 typ").kind, None);
    }
}
