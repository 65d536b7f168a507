//! How lines come in: WebSockets in the dialects of ours, upstream's and Jitsi's clients, beacons, and what the SFU Sora pushes.

mod beacon;
mod handshake;
mod jitsi;
mod listening;
mod rtcstats;
mod socket;
pub(crate) mod sora;
mod unfinished;
mod v1;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use rtctrace_protocol::privacy::obfuscate_address;

use crate::access;
use crate::app::{App, ClientAddress};
use crate::geo::Location;
use crate::problem::{Problem, Reason};
use crate::session::{Dialect, Origin, UnixMillis};

pub(crate) use beacon::beacon;
pub(crate) use handshake::{is_upgrade, upgrade};
pub(crate) use unfinished::Unfinished;

/// Longer header values are cut: they go into the dump's header and the database.
const LONGEST_HEADER: usize = 1024;

/// `GET /v1/ws` without an upgrade.
pub(crate) async fn not_an_upgrade() -> Problem {
    Problem::new(Reason::BadHandshake, "This path takes WebSockets only, subprotocol rtctrace.v1.")
        .with_header(header::UPGRADE, HeaderValue::from_static("websocket"))
}

/// What a request says about where its session comes from.
fn origin(app: &App, dialect: Dialect, request: &Request) -> Origin {
    let text = |name| header_text(request.headers(), name);
    // A listener on `[::]` sees IPv4 clients as IPv6; this is their own address.
    let client = request.extensions().get::<ClientAddress>().map(|client| client.0);
    let hidden = |address: String| match app.config.privacy.addresses {
        true => obfuscate_address(&address).into_owned(),
        false => address,
    };
    Origin {
        dialect,
        start_time: UnixMillis::now(),
        url: cut(&access::without_tokens(&request.uri().to_string())),
        origin: text(header::ORIGIN),
        user_agent: text(header::USER_AGENT),
        remote_address: client.map(|address| hidden(address.to_string())),
        location: match (&app.geo, client) {
            (Some(geo), Some(address)) => geo.find(address),
            _ => Location::default(),
        },
        client_session: None,
        user: None,
        conference: None,
        sora: None,
        counted_by: client,
    }
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned();
    Some(cut(&text))
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST_HEADER).collect()
}
