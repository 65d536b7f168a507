//! Which event is the outcome of which call: `createOffer` and `createOfferOnSuccess`, by the tracking id that both carry.

use std::collections::{HashMap, VecDeque};

use rtctrace_protocol::event::Event;

/// Calls of a method that wait for their outcomes; the oldest is given up.
const WAITING: usize = 256;

/// Calls whose outcomes have not come yet.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    waiting: HashMap<(i32, u32), VecDeque<Call>>,
}

#[derive(Debug)]
struct Call {
    event: u32,
    extra: Vec<String>,
}

/// The method whose outcome this is the name of.
pub(crate) fn call_of(method: &str) -> Option<&str> {
    method.strip_suffix("OnSuccess").or_else(|| method.strip_suffix("OnFailure"))
}

impl Calls {
    /// Takes in what may be a call.
    pub(crate) fn called(&mut self, event: &Event<'_>, connection: i32, method: u32, number: u32) {
        let waiting = self.waiting.entry((connection, method)).or_default();
        if waiting.len() >= WAITING {
            waiting.pop_front();
        }
        waiting.push_back(Call { event: number, extra: words(event).collect() });
    }

    /// The call whose outcome an event is. Where calls carry no id, the first one is answered first.
    pub(crate) fn answered(&mut self, event: &Event<'_>, connection: i32, method: u32) -> Option<u32> {
        let waiting = self.waiting.get_mut(&(connection, method))?;
        let id = words(event).last();
        let by_id = waiting.iter().position(|call| id.as_ref().is_some_and(|id| call.extra.contains(id)));
        let first = || waiting.iter().position(|call| call.extra.is_empty());
        let position = by_id.or_else(first)?;
        waiting.remove(position).map(|call| call.event)
    }
}

fn words<'e>(event: &'e Event<'_>) -> impl Iterator<Item = String> + 'e {
    event.extra.iter().filter_map(|extra| Some(extra.as_str()?.into_owned()))
}
