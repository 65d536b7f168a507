//! The configuration that the connection was created with.

use std::borrow::Cow;

use rtctrace_protocol::event::Event;
use rtctrace_protocol::json::{Kind, RawValue};

use crate::input;
use crate::table::ConnectionFeatures;

/// Accumulates the features of the first `create`; what setConfiguration changes later is not looked at.
#[derive(Debug, Default)]
pub(crate) struct Configuration {
    created: bool,
    servers: Option<Servers>,
    bundle_policy: Option<String>,
    always_negotiate_data_channels: Option<bool>,
}

#[derive(Debug, Default)]
struct Servers {
    count: usize,
    relay_only: bool,
    stun: bool,
    turns: bool,
    turn_udp: bool,
    turn_tcp: bool,
}

impl Configuration {
    pub(crate) fn event(&mut self, event: &Event<'_>) {
        if event.method != "create" || std::mem::replace(&mut self.created, true) {
            return;
        }
        let Some(configuration) = input::json(event) else { return };
        self.servers =
            configuration.get("iceServers").filter(|servers| servers.kind() == Kind::Array).map(|servers| Servers {
                relay_only: configuration.get("iceTransportPolicy").and_then(RawValue::as_str).as_deref()
                    == Some("relay"),
                ..Servers::of(servers)
            });
        self.bundle_policy = configuration.get("bundlePolicy").and_then(input::text);
        self.always_negotiate_data_channels =
            configuration.get("alwaysNegotiateDataChannels").and_then(RawValue::as_bool);
    }

    pub(crate) fn write(&self, features: &mut ConnectionFeatures) {
        features.configured_bundle_policy = self.bundle_policy.clone();
        features.configured_always_negotiate_data_channels = self.always_negotiate_data_channels;
        let Some(servers) = &self.servers else { return };
        features.configured_ice_servers = i64::try_from(servers.count).ok();
        features.configured_ice_transport_policy = Some(servers.relay_only);
        features.configured_ice_servers_stun = servers.stun.then_some(true);
        features.configured_ice_servers_turns = servers.turns.then_some(true);
        features.configured_ice_servers_turn_udp = servers.turn_udp.then_some(true);
        features.configured_ice_servers_turn_tcp = servers.turn_tcp.then_some(true);
    }
}

impl Servers {
    fn of(list: RawValue<'_>) -> Self {
        let mut servers = Self::default();
        for server in list.elements() {
            servers.count += 1;
            let Some(urls) = server.get("urls") else { continue };
            match urls.as_str() {
                Some(url) => servers.url(&url),
                None => urls.elements().filter_map(RawValue::as_str).for_each(|url: Cow<'_, str>| servers.url(&url)),
            }
        }
        servers
    }

    fn url(&mut self, url: &str) {
        if url.starts_with("stun:") {
            self.stun = true;
        } else if url.starts_with("turns:") {
            self.turns = true;
        } else if url.starts_with("turn:") {
            // A bare turn: means UDP, but upstream counts only what is written out.
            self.turn_udp |= url.ends_with("?transport=udp");
            self.turn_tcp |= url.ends_with("?transport=tcp");
        }
    }
}
