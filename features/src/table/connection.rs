//! The features of one connection.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{TrackFeatures, features};
use crate::value::UnixMillis;

features! {
    /// The features of one connection.
    struct ConnectionFeatures {
        /// The connection's id, as its client chose it.
        id: String,
        /// The features of its tracks, in the order in which the tracks appeared.
        tracks: Vec<TrackFeatures>,
    }

    /// The table of connection features.
    table CONNECTION_FEATURES {
        "addIceCandidateFailure" add_ice_candidate_failure: Option<String>, None, "The first error of addIceCandidate.";
        "setLocalDescriptionFailure" set_local_description_failure: Option<String>, None, "The first error of setLocalDescription.";
        "setRemoteDescriptionFailure" set_remote_description_failure: Option<String>, None, "The first error of setRemoteDescription.";
        "clockSkew" clock_skew: Option<i64>, Milliseconds, "Time of the first report's event less the report's own time.";
        "connected" connected: bool, None, "Whether connectionState was ever connected.";
        "connectionTime" connection_time: Option<i64>, Milliseconds, "From the first connectionState connecting to the first connected after it.";
        "dtlsRole" dtls_role: Option<String>, None, "DTLS role, from the first report with a DTLS version.";
        "dtlsVersion" dtls_version: Option<String>, None, "DTLS version, four hexadecimal digits.";
        "srtpCipher" srtp_cipher: Option<String>, None, "SRTP protection profile, from the first report with a DTLS version.";
        "closed" closed: bool, None, "Whether the last event is close.";
        "duration" duration: Option<i64>, Milliseconds, "From the connection's first event to its last.";
        "iceConnected" ice_connected: bool, None, "Whether iceConnectionState was ever connected.";
        "iceConnectionTime" ice_connection_time: Option<i64>, Milliseconds, "From the first iceConnectionState checking to the first connected after it.";
        "iceRestart" ice_restart: bool, None, "Whether createOffer was called with iceRestart.";
        "iceRestartFollowedBySetRemoteDescription" ice_restart_followed_by_set_remote_description: bool, None, "Whether the offer of an ICE restart was set and answered.";
        "usingIceLite" using_ice_lite: bool, None, "Whether a remote description says ice-lite.";
        "configuredIceServers" configured_ice_servers: Option<i64>, Count, "Entries of iceServers.";
        "configuredIceTransportPolicy" configured_ice_transport_policy: Option<bool>, None, "Whether iceTransportPolicy is relay; absent without iceServers.";
        "configuredIceServersStun" configured_ice_servers_stun: Option<bool>, None, "True if a server's URL is stun:.";
        "configuredIceServersTurns" configured_ice_servers_turns: Option<bool>, None, "True if a server's URL is turns:.";
        "configuredIceServersTurnUdp" configured_ice_servers_turn_udp: Option<bool>, None, "True if a server's URL is turn: with ?transport=udp.";
        "configuredIceServersTurnTcp" configured_ice_servers_turn_tcp: Option<bool>, None, "True if a server's URL is turn: with ?transport=tcp.";
        "configuredBundlePolicy" configured_bundle_policy: Option<String>, None, "The bundlePolicy that was asked for.";
        "configuredAlwaysNegotiateDataChannels" configured_always_negotiate_data_channels: Option<bool>, None, "The alwaysNegotiateDataChannels that was asked for.";
        "addedConnectableIceTcpCandidate" added_connectable_ice_tcp_candidate: bool, None, "Whether a passive TCP candidate of the peer was added or described.";
        "addedHostCandidate" added_host_candidate: bool, None, "Whether a host candidate was added.";
        "addedMdnsCandidate" added_mdns_candidate: bool, None, "Whether a host candidate with a .local name was added.";
        "addedNullCandidate" added_null_candidate: bool, None, "Whether addIceCandidate was called with null or nothing.";
        "addedSrflxCandidate" added_srflx_candidate: bool, None, "Whether a server reflexive candidate was added.";
        "addedTurnCandidate" added_turn_candidate: bool, None, "Whether a relay candidate was added.";
        "gatheredHostCandidate" gathered_host_candidate: bool, None, "Whether a host candidate was gathered.";
        "gatheredMdnsCandidate" gathered_mdns_candidate: bool, None, "Whether a host candidate with a .local name was gathered.";
        "gatheredSrflxCandidate" gathered_srflx_candidate: bool, None, "Whether a server reflexive candidate was gathered.";
        "gatheredTurnCandidate" gathered_turn_candidate: bool, None, "Whether a relay candidate was gathered.";
        "gatheringTimeTurnUdp" gathering_time_turn_udp: Option<i64>, Milliseconds, "From the start of gathering to the first relay candidate over UDP.";
        "gatheringTimeTurnTcp" gathering_time_turn_tcp: Option<i64>, Milliseconds, "From the start of gathering to the first relay candidate over TCP.";
        "gatheringTimeTurnTls" gathering_time_turn_tls: Option<i64>, Milliseconds, "From the start of gathering to the first relay candidate over TLS.";
        "firstCandidatePairLocalAddress" first_candidate_pair_local_address: Option<String>, None, "Local address of the first pair selected while connected.";
        "firstCandidatePairLocalNetworkType" first_candidate_pair_local_network_type: Option<String>, None, "Its local network: ethernet, wifi, cellular, ...";
        "firstCandidatePairLocalProtocol" first_candidate_pair_local_protocol: Option<String>, None, "Its local transport protocol.";
        "firstCandidatePairLocalRelayProtocol" first_candidate_pair_local_relay_protocol: Option<String>, None, "Its protocol to the local TURN server.";
        "firstCandidatePairLocalRelayUrl" first_candidate_pair_local_relay_url: Option<String>, None, "The URL of the server that gave its local candidate.";
        "firstCandidatePairLocalType" first_candidate_pair_local_type: Option<String>, None, "The type of its local candidate.";
        "firstCandidatePairLocalTypePreference" first_candidate_pair_local_type_preference: Option<i64>, None, "The type preference in its local candidate's priority.";
        "firstCandidatePairRemoteAddress" first_candidate_pair_remote_address: Option<String>, None, "Its remote address.";
        "firstCandidatePairRemoteType" first_candidate_pair_remote_type: Option<String>, None, "The type of its remote candidate.";
        "averageStunRoundTripTime" average_stun_round_trip_time: Option<f64>, Seconds, "Mean round trip time of STUN checks on the pairs that were selected.";
        "averageOutboundBitrate" average_outbound_bitrate: Option<f64>, BitsPerSecond, "Bytes sent, from the first report with traffic both ways to the last.";
        "averageInboundBitrate" average_inbound_bitrate: Option<f64>, BitsPerSecond, "Bytes received, from the first report with traffic both ways to the last.";
        "rtcstatsLocationContinent" rtcstats_location_continent: Option<String>, None, "Continent of the local candidate selected at the first report.";
        "rtcstatsLocationCountry" rtcstats_location_country: Option<String>, None, "Country of the local candidate selected at the first report.";
        "rtcstatsLocationCity" rtcstats_location_city: Option<String>, None, "City of the local candidate selected at the first report.";
        "rtcstatsPeerLocationContinent" rtcstats_peer_location_continent: Option<String>, None, "Continent of the remote candidate selected at the first report.";
        "rtcstatsPeerLocationCountry" rtcstats_peer_location_country: Option<String>, None, "Country of the remote candidate selected at the first report.";
        "rtcstatsPeerLocationCity" rtcstats_peer_location_city: Option<String>, None, "City of the remote candidate selected at the first report.";
        "rtcstatsRelayLocationContinent" rtcstats_relay_location_continent: Option<String>, None, "Continent of the last located candidate gathered before the first report.";
        "rtcstatsRelayLocationCountry" rtcstats_relay_location_country: Option<String>, None, "Country of the last located candidate gathered before the first report.";
        "rtcstatsRelayLocationCity" rtcstats_relay_location_city: Option<String>, None, "City of the last located candidate gathered before the first report.";
        "numberOfEvents" number_of_events: u64, Count, "Events of the connection.";
        "numberOfEventsNotGetStats" number_of_events_not_get_stats: u64, Count, "Events of the connection that are no reports.";
        "numberOfNegotiations" number_of_negotiations: u64, Count, "How often signalingState became stable.";
        "pendingNegotiationAtEnd" pending_negotiation_at_end: Option<bool>, None, "Whether signalingState was last something else than stable.";
        "setLocalDescriptionDelay" set_local_description_delay: Option<i64>, Milliseconds, "How long the first setLocalDescription took, if it succeeded.";
        "setLocalDescriptionRole" set_local_description_role: Option<String>, None, "The type of description of that call; absent if it was implicit.";
        "setRemoteDescriptionDelay" set_remote_description_delay: Option<i64>, Milliseconds, "How long the first setRemoteDescription took, if it succeeded.";
        "setRemoteDescriptionRole" set_remote_description_role: Option<String>, None, "The type of description of that call.";
        "signalingDelay" signaling_delay: Option<i64>, Milliseconds, "From the first local offer that was set explicitly to the first remote answer after it.";
        "startTime" start_time: Option<UnixMillis>, None, "Time of the connection's first event.";
        "statsTruncated" stats_truncated: bool, None, "Whether an entry that appeared late is in exactly 1000 reports, where webrtc-internals stops recording.";
    }
}

impl Serialize for ConnectionFeatures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        self.serialize_values(&mut map)?;
        map.serialize_entry("tracks", &self.tracks)?;
        map.end()
    }
}
