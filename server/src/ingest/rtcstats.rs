//! The dialect `rtcstats#5.0` of upstream's client: a line per text frame, nothing comes back. A socket is a session; the
//! collector writes the line that closes it.

use axum::extract::Request;

use super::origin;
use super::socket::Opening;
use crate::app::App;
use crate::session::{Dialect, SessionId};

/// Any path will do: it says which application or room the client belongs to.
pub(super) fn open(app: &App, request: &Request) -> Opening {
    let origin = origin(app, Dialect::Rtcstats5, request);
    Opening { session: SessionId::new(), from: 0, origin, acknowledges: false }
}
