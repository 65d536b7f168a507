//! [`Calls`]: which outcome belongs to which call. Chromium does not say; a connection carries out one operation after the other
//! (WebRTC, 4.4.1.2, the operations chain), so outcomes come in the order of the calls.

use std::collections::{HashMap, VecDeque};

use super::limits::{MAX_CONNECTIONS, MAX_PENDING};
use crate::json::write_string;
use crate::line::write_method;

/// Calls that have an outcome.
const METHODS: [&str; 5] =
    ["createOffer", "createAnswer", "setLocalDescription", "setRemoteDescription", "addIceCandidate"];

/// Gives calls and their outcomes the tracking ids that our clients give them.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// The next number of each method.
    next: HashMap<&'static str, u64>,
    pending: HashMap<String, [VecDeque<u64>; METHODS.len()]>,
}

impl Calls {
    /// The tracking id, with its quotes, of a connection's event; `None` if the method has none.
    pub(super) fn id(&mut self, connection: &str, method: &str) -> Option<String> {
        let stem = method.strip_suffix("OnSuccess").or_else(|| method.strip_suffix("OnFailure"));
        let (place, name) = METHODS.iter().enumerate().find(|(_, name)| **name == stem.unwrap_or(method))?;
        if stem.is_some()
            && let Some(pending) = self.pending.get_mut(connection).and_then(|pending| pending.get_mut(place))
            // A candidate's success is not told, so what has failed is the newest.
            && let Some(number) = if *name == "addIceCandidate" { pending.pop_back() } else { pending.pop_front() }
        {
            return Some(tracking_id(name, number));
        }
        let number = self.number(name);
        if stem.is_none() {
            if !self.pending.contains_key(connection) && self.pending.len() < MAX_CONNECTIONS {
                self.pending.insert(connection.to_owned(), Default::default());
            }
            if let Some(pending) = self.pending.get_mut(connection).and_then(|pending| pending.get_mut(place)) {
                if pending.len() == MAX_PENDING {
                    pending.pop_front();
                }
                pending.push_back(number);
            }
        }
        Some(tracking_id(name, number))
    }

    /// The next number of a method, counted over the whole dump.
    pub(super) fn number(&mut self, method: &'static str) -> u64 {
        let next = self.next.entry(method).or_default();
        *next += 1;
        *next - 1
    }
}

/// `"<token>-<n>"`, with its quotes.
pub(super) fn tracking_id(method: &str, number: u64) -> String {
    let mut token = String::new();
    write_method(&mut token, method);
    let mut id = String::new();
    write_string(&mut id, &format!("{}-{number}", token.trim_matches('"')));
    id
}
