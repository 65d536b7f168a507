//! What stands in front of a dump's lines.

use crate::json::{write_i64, write_string};

/// The first line of every dump.
pub const MAGIC: &str = "RTCStatsDump";

/// The format that we write.
pub const FILE_FORMAT: u64 = 3;

/// The second line of a dump: what the collector knows of a session before its first line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Path and query of the request that opened the session, without its token.
    pub url: String,
    /// The page's origin, if the client named one.
    pub origin: Option<String>,
    /// The client's User-Agent, if it named one.
    pub user_agent: Option<String>,
    /// When the session began by the collector's clock, Unix time in ms.
    pub start_time: i64,
    /// The client's address and those of the proxies before it, obfuscated.
    pub remote_addresses: Vec<String>,
    /// The dialect that the client speaks.
    pub client_protocol: String,
    /// The session's id.
    pub session: Option<String>,
    /// What the client called the session, where that is no UUID.
    pub client_session: Option<String>,
    /// Whose session it is, as the client's token says.
    pub user: Option<String>,
    /// Which conference it belongs to, as the client's token says.
    pub conference: Option<String>,
    /// ISO 3166-1 code of the country where the first address is.
    pub country: Option<String>,
    /// English name of the city where it is.
    pub city: Option<String>,
    /// What the SFU Sora says of its connection: a JSON object.
    pub sora: Option<String>,
}

/// Appends a dump's first two lines, with their newlines.
pub fn write_header(out: &mut String, metadata: &Metadata) {
    out.push_str(MAGIC);
    out.push_str("\n{\"url\":");
    write_string(out, &metadata.url);
    write_members(out, &[("origin", &metadata.origin), ("userAgent", &metadata.user_agent)]);
    out.push_str(",\"startTime\":");
    write_i64(out, metadata.start_time);
    out.push_str(",\"remoteAddresses\":[");
    for (at, address) in metadata.remote_addresses.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write_string(out, address);
    }
    out.push_str("],\"clientProtocol\":");
    write_string(out, &metadata.client_protocol);
    write_members(
        out,
        &[
            ("session", &metadata.session),
            ("clientSession", &metadata.client_session),
            ("user", &metadata.user),
            ("conference", &metadata.conference),
        ],
    );
    write_location(out, metadata);
    if let Some(sora) = &metadata.sora {
        out.push_str(",\"sora\":");
        out.push_str(sora);
    }
    out.push_str(",\"fileFormat\":");
    write_i64(out, FILE_FORMAT as i64);
    out.push_str("}\n");
}

/// Appends `locations`: one for the first address, in the form of MaxMind's records, as upstream's server writes them.
fn write_location(out: &mut String, metadata: &Metadata) {
    let (country, city) = (&metadata.country, &metadata.city);
    if country.is_none() && city.is_none() {
        return;
    }
    out.push_str(",\"locations\":[{");
    if let Some(code) = country {
        out.push_str("\"country\":{\"iso_code\":");
        write_string(out, code);
        out.push_str(if city.is_some() { "}," } else { "}" });
    }
    if let Some(name) = city {
        out.push_str("\"city\":{\"names\":{\"en\":");
        write_string(out, name);
        out.push_str("}}");
    }
    out.push_str("}]");
}

/// Appends those that are there.
fn write_members(out: &mut String, members: &[(&str, &Option<String>)]) {
    for (name, value) in members {
        if let Some(value) = value {
            out.push_str(",\"");
            out.push_str(name);
            out.push_str("\":");
            write_string(out, value);
        }
    }
}
