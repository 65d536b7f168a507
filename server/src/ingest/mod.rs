//! How lines come in: WebSockets in the dialects of ours, upstream's and Jitsi's clients, and beacons.

mod beacon;
mod handshake;
mod jitsi;
mod listening;
mod rtcstats;
mod socket;
mod v1;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use rtctrace_protocol::privacy::obfuscate_address;

use crate::app::{App, ClientAddress};
use crate::geo::Location;
use crate::problem::{Problem, Reason};
use crate::session::{Dialect, Origin, UnixMillis};

pub(crate) use beacon::beacon;
pub(crate) use handshake::{is_upgrade, upgrade};

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
        url: without_tokens(request.uri()),
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
        counted_by: client,
    }
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned();
    Some(text.chars().take(LONGEST_HEADER).collect())
}

/// Path and query, without what a client proves itself with.
fn without_tokens(uri: &Uri) -> String {
    let kept: Vec<&str> =
        uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !names_a_token(pair)).collect();
    let path = uri.path();
    let url = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    url.chars().take(LONGEST_HEADER).collect()
}

/// Whether a pair of a query is a token, however its name is spelt.
fn names_a_token(pair: &str) -> bool {
    form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| name.to_ascii_lowercase().ends_with("token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stay_out_of_dumps() {
        let url = |text: &str| without_tokens(&text.parse().unwrap());
        assert_eq!(url("/room?rtcstats-token=secret"), "/room");
        assert_eq!(url("/v1/ws?session=1&token=secret&from=0"), "/v1/ws?session=1&from=0");
        assert_eq!(url("/v1/ws?TOK%65N=secret&Token=secret&a=1"), "/v1/ws?a=1");
        assert_eq!(url("/loopback"), "/loopback");
    }
}
