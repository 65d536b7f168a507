//! From which networks a listener takes connections.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Context;
use ipnet::IpNet;

use crate::config::List;

/// Networks that may connect.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources(Option<Arc<[IpNet]>>);

impl Sources {
    /// Those of a setting; an empty one is all there are.
    pub(super) fn new(setting: &str, list: &List) -> anyhow::Result<Self> {
        let networks = networks(setting, list)?;
        Ok(Self((!networks.is_empty()).then(|| networks.into())))
    }

    /// Whether an address is of one of them.
    pub(crate) fn allow(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.as_ref().is_none_or(|networks| networks.iter().any(|network| network.contains(&address)))
    }

    /// Whether there are addresses that may not.
    pub(super) fn are_chosen(&self) -> bool {
        self.0.as_ref().is_some_and(|networks| networks.iter().all(|network| network.prefix_len() > 0))
    }
}

/// The networks and addresses of a setting.
pub(super) fn networks(setting: &str, list: &List) -> anyhow::Result<Vec<IpNet>> {
    let network = |text: &String| {
        text.parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
            .ok()
            .with_context(|| format!("{setting}: `{text}` is no network; write for example 10.0.0.0/8 or 192.0.2.1"))
    };
    list.0.iter().map(network).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_of_a_network_may_connect() {
        let sources = |list: &[&str]| Sources::new("x", &List(list.iter().map(ToString::to_string).collect()));
        let allow = |list: &[&str], address: &str| sources(list).unwrap().allow(address.parse().unwrap());
        assert!(allow(&[], "192.0.2.1"));
        let list = ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"];
        for (address, is_allowed) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("192.0.2.1", true),
            ("192.0.2.2", false),
            ("2001:db8::7", true),
            ("2001:db9::7", false),
        ] {
            assert_eq!(allow(&list, address), is_allowed, "{address}");
        }
        assert!(sources(&["nobody"]).unwrap_err().to_string().starts_with("x: `nobody` is no network"));
        assert!(sources(&list).unwrap().are_chosen());
        assert!(!sources(&["10.0.0.0/8", "::/0"]).unwrap().are_chosen() && !sources(&[]).unwrap().are_chosen());
    }
}
