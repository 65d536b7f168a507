//! For whom a request is made: the address of the connection's peer, or, if that is a trusted proxy, the rightmost address
//! in its header that is none. What stands further left was written by people whom nobody knows.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, header};
use ipnet::IpNet;

use super::sources::networks;
use crate::config::{Access, ProxyHeader};

/// The proxies that are believed, and where they say for whom they ask.
#[derive(Debug)]
pub(super) struct Proxies {
    trusted: Vec<IpNet>,
    header: ProxyHeader,
}

impl Proxies {
    /// Reads the networks of the settings.
    pub(super) fn new(access: &Access) -> anyhow::Result<Self> {
        let trusted = networks("access.trusted_proxies", &access.trusted_proxies)?;
        Ok(Self { trusted, header: access.proxy_header })
    }

    /// Whether any are.
    pub(super) fn exist(&self) -> bool {
        !self.trusted.is_empty()
    }

    /// For whom a request is made.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trust(client) {
            return client;
        }
        let name = match self.header {
            ProxyHeader::XForwardedFor => header::HeaderName::from_static("x-forwarded-for"),
            ProxyHeader::Forwarded => header::FORWARDED,
        };
        let values: Vec<&str> = headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default()).collect();
        for value in values.into_iter().rev() {
            for element in elements(value).into_iter().rev() {
                let node = match self.header {
                    ProxyHeader::XForwardedFor => Some(element.to_owned()),
                    ProxyHeader::Forwarded => forwarded_for(element),
                };
                // One that hides its client, or writes nonsense, is as far as can be seen.
                let Some(address) = node.as_deref().and_then(address) else { return client };
                client = address;
                if !self.trust(client) {
                    return client;
                }
            }
        }
        client
    }

    /// Whether an address is that of one of them.
    pub(super) fn trust(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }
}

/// The elements of a list: what stands between commas that are not inside quotes.
fn elements(value: &str) -> Vec<&str> {
    split(value, ',')
}

fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(|c| {
        let is_separator = c == separator && !quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        is_separator
    })
    .map(str::trim)
    .collect()
}

/// The value of `for` in an element of `Forwarded` (RFC 7239, section 4), without its quotes.
fn forwarded_for(element: &str) -> Option<String> {
    let pairs = split(element, ';');
    let mut pairs = pairs.iter().filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    let value = value.trim();
    Some(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value).to_owned())
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn address(node: &str) -> Option<IpAddr> {
    let bare = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(node);
    let address = bare.parse().ok().or_else(|| node.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, List};

    fn client(header: ProxyHeader, peer: &str, values: &[&str]) -> String {
        let mut access = Config::default().access;
        access.trusted_proxies = List(vec!["10.0.0.0/8".to_owned(), "2001:db8:1::/48".to_owned()]);
        access.proxy_header = header;
        let name = match header {
            ProxyHeader::XForwardedFor => "x-forwarded-for",
            ProxyHeader::Forwarded => "forwarded",
        };
        let headers = values.iter().map(|value| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Proxies::new(&access).unwrap().client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_rightmost_address_that_is_not_trusted_is_the_clients() {
        let client = |peer, values: &[&str]| client(ProxyHeader::XForwardedFor, peer, values);
        assert_eq!(client("192.0.2.7", &["198.51.100.1"]), "192.0.2.7", "a peer that is not trusted is not believed");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("::ffff:10.0.0.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["203.0.113.9, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["203.0.113.9", "198.51.100.1,10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3", "all of them are trusted");
        assert_eq!(client("10.0.0.1", &["198.51.100.1, nonsense, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &["198.51.100.1:5000"]), "198.51.100.1");
        assert_eq!(client("2001:db8:1::9", &["2001:db8:2::1"]), "2001:db8:2::1");
    }

    #[test]
    fn forwarded_is_read_as_the_rfc_says() {
        let client = |values: &[&str]| client(ProxyHeader::Forwarded, "10.0.0.1", values);
        assert_eq!(client(&["for=198.51.100.1;proto=https;by=10.0.0.1"]), "198.51.100.1");
        assert_eq!(client(&["For=\"[2001:db8:cafe::17]:4711\""]), "2001:db8:cafe::17");
        assert_eq!(
            client(&["for=203.0.113.9, for=198.51.100.1;host=\"a,for=192.0.2.1\", for=10.0.0.2"]),
            "198.51.100.1"
        );
        assert_eq!(client(&["for=198.51.100.1, for=unknown"]), "10.0.0.1");
        assert_eq!(client(&["for=198.51.100.1, for=_hidden"]), "10.0.0.1");
        assert_eq!(client(&["proto=https"]), "10.0.0.1");
    }

    proptest::proptest! {
        #[test]
        fn any_header_leads_to_an_address(values in proptest::collection::vec("[ -~]{0,60}|(for=)?[0-9.:\\[\\]\"\\\\,; ]{0,30}", 0..4)) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            for header in [ProxyHeader::XForwardedFor, ProxyHeader::Forwarded] {
                proptest::prop_assert!(client(header, "10.0.0.1", &values).parse::<IpAddr>().is_ok());
                proptest::prop_assert_eq!(client(header, "192.0.2.7", &values), "192.0.2.7");
            }
        }
    }

    #[test]
    fn what_is_no_network_is_named_at_start() {
        let mut access = Config::default().access;
        access.trusted_proxies = List(vec!["10.0.0.0/99".to_owned()]);
        assert!(Proxies::new(&access).unwrap_err().to_string().contains("10.0.0.0/99"));
    }
}
