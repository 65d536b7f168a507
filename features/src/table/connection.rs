//! The features of one connection.

#[cfg(feature = "serde")]
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::{TrackFeatures, features};
use crate::value::{Json, UnixMillis};

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
        upstream {
            "addIceCandidateFailure" add_ice_candidate_failure: Option<String>, None, "The first error of addIceCandidate.", "value of the first", "addIceCandidateOnFailure";
            "setLocalDescriptionFailure" set_local_description_failure: Option<String>, None, "The first error of setLocalDescription.", "value of the first", "setLocalDescriptionOnFailure";
            "setRemoteDescriptionFailure" set_remote_description_failure: Option<String>, None, "The first error of setRemoteDescription.", "value of the first", "setRemoteDescriptionOnFailure";
            "clockSkew" clock_skew: Option<i64>, Milliseconds, "Time of the first report's event less the report's own time.", "round(time of the event - timestamp of the entry), in the first report that has it", "getStats: peer-connection.timestamp";
            "connected" connected: bool, None, "Whether connectionState was ever connected; one that the SFU Sora tells of was. Without events, whether reports show it.", "any is connected; without events, any report with a tlsVersion, traffic both ways or packetsReceived > 0", "onconnectionstatechange, :sora.connection; getStats: transport, inbound-rtp.packetsReceived";
            "connectionTime" connection_time: Option<i64>, Milliseconds, "From the first connectionState connecting to the first connected after it.", "first connecting to the first later connected", "onconnectionstatechange";
            "dtlsRole" dtls_role: Option<String>, None, "DTLS role, from the first report with a DTLS version.", "of the first transport with a tlsVersion", "getStats: transport.dtlsRole";
            "dtlsVersion" dtls_version: Option<String>, None, "DTLS version, four hexadecimal digits.", "of the first transport with a tlsVersion", "getStats: transport.tlsVersion";
            "srtpCipher" srtp_cipher: Option<String>, None, "SRTP protection profile, from the first report with a DTLS version.", "of the first transport with a tlsVersion", "getStats: transport.srtpCipher";
            "closed" closed: Option<bool>, None, "Whether the last event is close.", "the last is close, what follows from it apart", "events of the connection";
            "duration" duration: Option<i64>, Milliseconds, "From the connection's first event to its last; of one of the SFU Sora's, to the end that is told of it.", "time of the last - time of the first", "events of the connection";
            "iceConnected" ice_connected: Option<bool>, None, "Whether iceConnectionState was ever connected.", "any is connected", "oniceconnectionstatechange";
            "iceConnectionTime" ice_connection_time: Option<i64>, Milliseconds, "From the first iceConnectionState checking to the first connected after it.", "first checking to the first later connected", "oniceconnectionstatechange";
            "iceRestart" ice_restart: Option<bool>, None, "Whether createOffer was called with iceRestart.", "any with iceRestart true", "createOffer";
            "iceRestartFollowedBySetRemoteDescription" ice_restart_followed_by_set_remote_description: Option<bool>, None, "Whether the offer of an ICE restart was set and answered.", "after that offer a local offer is set, after it a remote answer", "createOffer, setLocalDescription, setRemoteDescription";
            "usingIceLite" using_ice_lite: Option<bool>, None, "Whether a remote description says ice-lite.", "any has the line a=ice-lite", "setRemoteDescription";
            "configuredIceServers" configured_ice_servers: Option<i64>, Count, "Entries of iceServers.", "length", "create.iceServers";
            "configuredIceTransportPolicy" configured_ice_transport_policy: Option<bool>, None, "Whether iceTransportPolicy is relay; absent without iceServers.", "it is relay", "create.iceTransportPolicy";
            "configuredIceServersStun" configured_ice_servers_stun: Option<bool>, None, "True if a server's URL is stun:.", "any begins with stun:", "create.iceServers.urls";
            "configuredIceServersTurns" configured_ice_servers_turns: Option<bool>, None, "True if a server's URL is turns:.", "any begins with turns:", "create.iceServers.urls";
            "configuredIceServersTurnUdp" configured_ice_servers_turn_udp: Option<bool>, None, "True if a server's URL is turn: with ?transport=udp.", "any begins with turn: and ends with ?transport=udp", "create.iceServers.urls";
            "configuredIceServersTurnTcp" configured_ice_servers_turn_tcp: Option<bool>, None, "True if a server's URL is turn: with ?transport=tcp.", "any begins with turn: and ends with ?transport=tcp", "create.iceServers.urls";
            "configuredBundlePolicy" configured_bundle_policy: Option<String>, None, "The bundlePolicy that was asked for.", "the member", "create.bundlePolicy";
            "configuredAlwaysNegotiateDataChannels" configured_always_negotiate_data_channels: Option<bool>, None, "The alwaysNegotiateDataChannels that was asked for.", "the member", "create.alwaysNegotiateDataChannels";
            "addedConnectableIceTcpCandidate" added_connectable_ice_tcp_candidate: Option<bool>, None, "Whether a passive TCP candidate of the peer was added or described.", "any has tcptype passive", "addIceCandidate, setRemoteDescription";
            "addedHostCandidate" added_host_candidate: Option<bool>, None, "Whether a host candidate was added.", "any is of type host", "addIceCandidate";
            "addedMdnsCandidate" added_mdns_candidate: Option<bool>, None, "Whether a host candidate with a .local name was added.", "any is of type host and its address ends with .local", "addIceCandidate";
            "addedNullCandidate" added_null_candidate: Option<bool>, None, "Whether addIceCandidate was called with null or nothing.", "any has the value null", "addIceCandidate";
            "addedSrflxCandidate" added_srflx_candidate: Option<bool>, None, "Whether a server reflexive candidate was added.", "any is of type srflx", "addIceCandidate";
            "addedTurnCandidate" added_turn_candidate: Option<bool>, None, "Whether a relay candidate was added.", "any is of type relay", "addIceCandidate";
            "gatheredHostCandidate" gathered_host_candidate: Option<bool>, None, "Whether a host candidate was gathered.", "any is of type host", "onicecandidate";
            "gatheredMdnsCandidate" gathered_mdns_candidate: Option<bool>, None, "Whether a host candidate with a .local name was gathered.", "any is of type host and its address ends with .local", "onicecandidate";
            "gatheredSrflxCandidate" gathered_srflx_candidate: Option<bool>, None, "Whether a server reflexive candidate was gathered.", "any is of type srflx", "onicecandidate";
            "gatheredTurnCandidate" gathered_turn_candidate: Option<bool>, None, "Whether a relay candidate was gathered.", "any is of type relay", "onicecandidate";
            "gatheringTimeTurnUdp" gathering_time_turn_udp: Option<i64>, Milliseconds, "From the start of gathering to the first relay candidate over UDP.", "newest gathering to the first candidate whose relayProtocol is udp, until complete", "onicegatheringstatechange, onicecandidate.relayProtocol";
            "gatheringTimeTurnTcp" gathering_time_turn_tcp: Option<i64>, Milliseconds, "From the start of gathering to the first relay candidate over TCP.", "newest gathering to the first candidate whose relayProtocol is tcp, until complete", "onicegatheringstatechange, onicecandidate.relayProtocol";
            "gatheringTimeTurnTls" gathering_time_turn_tls: Option<i64>, Milliseconds, "From the start of gathering to the first relay candidate over TLS.", "newest gathering to the first candidate whose relayProtocol is tls, until complete", "onicegatheringstatechange, onicecandidate.relayProtocol";
            "firstCandidatePairLocalAddress" first_candidate_pair_local_address: Option<String>, None, "Local address of the first pair selected while connected.", "in the first report with a selected pair after connected; without events, in the first with one", "getStats: local-candidate.address";
            "firstCandidatePairLocalNetworkType" first_candidate_pair_local_network_type: Option<String>, None, "Its local network: ethernet, wifi, cellular, ...", "in the first report with a selected pair after connected", "getStats: local-candidate.networkType";
            "firstCandidatePairLocalProtocol" first_candidate_pair_local_protocol: Option<String>, None, "Its local transport protocol.", "in the first report with a selected pair after connected", "getStats: local-candidate.protocol";
            "firstCandidatePairLocalRelayProtocol" first_candidate_pair_local_relay_protocol: Option<String>, None, "Its protocol to the local TURN server.", "in the first report with a selected pair after connected", "getStats: local-candidate.relayProtocol";
            "firstCandidatePairLocalRelayUrl" first_candidate_pair_local_relay_url: Option<String>, None, "The URL of the server that gave its local candidate.", "in the first report with a selected pair after connected", "getStats: local-candidate.url";
            "firstCandidatePairLocalType" first_candidate_pair_local_type: Option<String>, None, "The type of its local candidate.", "in the first report with a selected pair after connected", "getStats: local-candidate.candidateType";
            "firstCandidatePairLocalTypePreference" first_candidate_pair_local_type_preference: Option<i64>, None, "The type preference in its local candidate's priority.", "priority >> 24, as a signed number of 32 bits", "getStats: local-candidate.priority";
            "firstCandidatePairRemoteAddress" first_candidate_pair_remote_address: Option<String>, None, "Its remote address.", "in the first report with a selected pair after connected", "getStats: remote-candidate.address";
            "firstCandidatePairRemoteType" first_candidate_pair_remote_type: Option<String>, None, "The type of its remote candidate.", "in the first report with a selected pair after connected", "getStats: remote-candidate.candidateType";
            "averageStunRoundTripTime" average_stun_round_trip_time: Option<f64>, Seconds, "Mean round trip time of STUN checks on the pairs that were selected.", "sum of totalRoundTripTime / sum of responsesReceived, of every pair the last", "getStats: selected candidate-pair";
            "averageOutboundBitrate" average_outbound_bitrate: Option<f64>, BitsPerSecond, "Bytes sent, from the first report with traffic both ways to the last.", "(bytesSent of the last - of the first) * 8 / seconds between", "getStats: transport.bytesSent";
            "averageInboundBitrate" average_inbound_bitrate: Option<f64>, BitsPerSecond, "Bytes received, from the first report with traffic both ways to the last.", "(bytesReceived of the last - of the first) * 8 / seconds between", "getStats: transport.bytesReceived";
            "rtcstatsLocationContinent" rtcstats_location_continent: Option<String>, None, "Continent of the local candidate selected at the first report.", "of the candidate with the address of the selected local one", "onicecandidate's rtcstatsLocation, first getStats";
            "rtcstatsLocationCountry" rtcstats_location_country: Option<String>, None, "Country of the local candidate selected at the first report.", "of the candidate with the address of the selected local one", "onicecandidate's rtcstatsLocation, first getStats";
            "rtcstatsLocationCity" rtcstats_location_city: Option<String>, None, "City of the local candidate selected at the first report.", "of the candidate with the address of the selected local one", "onicecandidate's rtcstatsLocation, first getStats";
            "rtcstatsPeerLocationContinent" rtcstats_peer_location_continent: Option<String>, None, "Continent of the remote candidate selected at the first report.", "of the candidate with the address of the selected remote one", "addIceCandidate's rtcstatsLocation, first getStats";
            "rtcstatsPeerLocationCountry" rtcstats_peer_location_country: Option<String>, None, "Country of the remote candidate selected at the first report.", "of the candidate with the address of the selected remote one", "addIceCandidate's rtcstatsLocation, first getStats";
            "rtcstatsPeerLocationCity" rtcstats_peer_location_city: Option<String>, None, "City of the remote candidate selected at the first report.", "of the candidate with the address of the selected remote one", "addIceCandidate's rtcstatsLocation, first getStats";
            "rtcstatsRelayLocationContinent" rtcstats_relay_location_continent: Option<String>, None, "Continent of the last located candidate gathered before the first report.", "of the last one before the first report", "onicecandidate's rtcstatsLocation";
            "rtcstatsRelayLocationCountry" rtcstats_relay_location_country: Option<String>, None, "Country of the last located candidate gathered before the first report.", "of the last one before the first report", "onicecandidate's rtcstatsLocation";
            "rtcstatsRelayLocationCity" rtcstats_relay_location_city: Option<String>, None, "City of the last located candidate gathered before the first report.", "of the last one before the first report", "onicecandidate's rtcstatsLocation";
            "numberOfEvents" number_of_events: u64, Count, "Events of the connection.", "how many", "events of the connection";
            "numberOfEventsNotGetStats" number_of_events_not_get_stats: u64, Count, "Events of the connection that are no reports.", "how many without getStats", "events of the connection";
            "numberOfNegotiations" number_of_negotiations: Option<u64>, Count, "How often signalingState became stable.", "how many are stable", "onsignalingstatechange";
            "pendingNegotiationAtEnd" pending_negotiation_at_end: Option<bool>, None, "Whether signalingState was last something else than stable.", "the last that is not closed is not stable", "onsignalingstatechange";
            "setLocalDescriptionDelay" set_local_description_delay: Option<i64>, Milliseconds, "How long the first setLocalDescription took, if it succeeded.", "first call to the success with its tracking id", "setLocalDescription, setLocalDescriptionOnSuccess";
            "setLocalDescriptionRole" set_local_description_role: Option<String>, None, "The type of description of that call; absent if it was implicit.", "the member, of that call", "setLocalDescription.type";
            "setRemoteDescriptionDelay" set_remote_description_delay: Option<i64>, Milliseconds, "How long the first setRemoteDescription took, if it succeeded.", "first call to the success with its tracking id", "setRemoteDescription, setRemoteDescriptionOnSuccess";
            "setRemoteDescriptionRole" set_remote_description_role: Option<String>, None, "The type of description of that call.", "the member, of that call", "setRemoteDescription.type";
            "signalingDelay" signaling_delay: Option<i64>, Milliseconds, "From the first local offer that was set explicitly to the first remote answer after it.", "first offer to the first later answer", "setLocalDescription, setRemoteDescription";
            "startTime" start_time: Option<UnixMillis>, UnixMilliseconds, "Time of the connection's first event.", "time of the first", "events of the connection";
            "statsTruncated" stats_truncated: bool, None, "Whether an entry that appeared late is in exactly 1000 reports, where webrtc-internals stops recording.", "any entry first seen after 60 s that is in exactly 1000 reports", "getStats";
        }
        ours {
            "roundTripTimeMean" round_trip_time_mean: Option<f64>, Seconds, "Mean of the round trip time of the selected pair.", "mean of currentRoundTripTime in each sample", "getStats: candidate-pair in use.currentRoundTripTime";
            "roundTripTimeP5" round_trip_time_p5: Option<f64>, Seconds, "5th percentile of the round trip time of the selected pair.", "5th percentile of currentRoundTripTime in each sample", "getStats: candidate-pair in use.currentRoundTripTime";
            "roundTripTimeP50" round_trip_time_p50: Option<f64>, Seconds, "Median of the round trip time of the selected pair.", "median of currentRoundTripTime in each sample", "getStats: candidate-pair in use.currentRoundTripTime";
            "roundTripTimeP95" round_trip_time_p95: Option<f64>, Seconds, "95th percentile of the round trip time of the selected pair.", "95th percentile of currentRoundTripTime in each sample", "getStats: candidate-pair in use.currentRoundTripTime";
            "roundTripTimeMax" round_trip_time_max: Option<f64>, Seconds, "Maximum of the round trip time of the selected pair.", "max of currentRoundTripTime in each sample", "getStats: candidate-pair in use.currentRoundTripTime";
            "availableOutgoingBitrateMean" available_outgoing_bitrate_mean: Option<f64>, BitsPerSecond, "Mean of the estimate of the bit rate that the selected pair has room for.", "mean of availableOutgoingBitrate in each sample", "getStats: candidate-pair in use.availableOutgoingBitrate";
            "availableOutgoingBitrateP5" available_outgoing_bitrate_p5: Option<f64>, BitsPerSecond, "5th percentile of the estimate of the bit rate that the selected pair has room for.", "5th percentile of availableOutgoingBitrate in each sample", "getStats: candidate-pair in use.availableOutgoingBitrate";
            "availableOutgoingBitrateP50" available_outgoing_bitrate_p50: Option<f64>, BitsPerSecond, "Median of the estimate of the bit rate that the selected pair has room for.", "median of availableOutgoingBitrate in each sample", "getStats: candidate-pair in use.availableOutgoingBitrate";
            "availableOutgoingBitrateP95" available_outgoing_bitrate_p95: Option<f64>, BitsPerSecond, "95th percentile of the estimate of the bit rate that the selected pair has room for.", "95th percentile of availableOutgoingBitrate in each sample", "getStats: candidate-pair in use.availableOutgoingBitrate";
            "availableOutgoingBitrateMax" available_outgoing_bitrate_max: Option<f64>, BitsPerSecond, "Maximum of the estimate of the bit rate that the selected pair has room for.", "max of availableOutgoingBitrate in each sample", "getStats: candidate-pair in use.availableOutgoingBitrate";
            "timeToConnected" time_to_connected: Option<i64>, Milliseconds, "From the connection's start until connectionState was first connected.", "first event, unless that is a report or what Sora says, to the first connected", "onconnectionstatechange";
            "timeToFirstAudioPacket" time_to_first_audio_packet: Option<i64>, Milliseconds, "From the connection's start until audio was first received.", "first event, unless that is a report or what Sora says, to the first unmuted remote track, or the first report with packetsReceived > 0", "MediaStreamTrack.onunmute, getStats: inbound-rtp.packetsReceived";
            "timeToFirstVideoPacket" time_to_first_video_packet: Option<i64>, Milliseconds, "From the connection's start until video was first received.", "first event, unless that is a report or what Sora says, to the first unmuted remote track, or the first report with packetsReceived > 0", "MediaStreamTrack.onunmute, getStats: inbound-rtp.packetsReceived";
            "timeToFirstVideoFrame" time_to_first_video_frame: Option<i64>, Milliseconds, "From the connection's start until a video frame was first decoded.", "first event, unless that is a report or what Sora says, to the first report with framesDecoded > 0", "getStats: inbound-rtp.framesDecoded";
            "setupSignalingTime" setup_signaling_time: Option<i64>, Milliseconds, "Set-up: from the first offer or answer that was made or set until the exchange was complete.", "first of createOffer, createAnswer, setLocalDescription, setRemoteDescription to the first later stable, or the remote answer being set; not below 0", "createOffer, createAnswer, setLocalDescription, setRemoteDescription, setRemoteDescriptionOnSuccess, onsignalingstatechange";
            "setupIceTime" setup_ice_time: Option<i64>, Milliseconds, "Set-up: from the first iceConnectionState checking until it was connected or completed.", "first checking to the first later connected or completed; not below 0", "oniceconnectionstatechange";
            "setupDtlsTime" setup_dtls_time: Option<i64>, Milliseconds, "Set-up: how long the DTLS handshake took.", "first connecting to the first later connected; without these events, end of setupIceTime to connectionState connected; not below 0", "ondtlsstatechange, oniceconnectionstatechange, onconnectionstatechange";
            "setupMediaTime" setup_media_time: Option<i64>, Milliseconds, "Set-up: from connected until media was first received, 0 if it was before.", "max(0, first packet of timeToFirstAudioPacket or timeToFirstVideoPacket - first connected)", "onconnectionstatechange, MediaStreamTrack.onunmute, getStats: inbound-rtp.packetsReceived";
            "icePath" ice_path: Option<String>, None, "The way that packets went last: host, srflx, prflx, relay/udp, relay/tcp, relay/tls, or relay by an unknown protocol.", "candidateType, and for a relay relayProtocol; last", "getStats: local-candidate of the selected pair";
            "icePathChanges" ice_path_changes: Option<i64>, Count, "How often that way changed.", "reports whose icePath is another than that of the report before", "getStats: local-candidate of the selected pair";
            "icePathHistory" ice_path_history: Option<Json>, None, "The first 32 of these changes.", "[{time: ms since the connection's start, from, to}]", "getStats: local-candidate of the selected pair";
            "usesRelay" uses_relay: Option<bool>, None, "Whether either candidate of the pair that was selected last is a relay; absent if that is not known.", "true if candidateType of either is relay, false if both have another; last", "getStats: candidates of the selected pair";
            "lastCandidatePairLocalType" last_candidate_pair_local_type: Option<String>, None, "The type of the local candidate of the pair that was selected last.", "last", "getStats: local-candidate.candidateType";
            "lastCandidatePairLocalAddress" last_candidate_pair_local_address: Option<String>, None, "Its local address.", "last", "getStats: local-candidate.address";
            "lastCandidatePairLocalProtocol" last_candidate_pair_local_protocol: Option<String>, None, "Its local transport protocol, of a relay that to the TURN server.", "relayProtocol, else protocol; last", "getStats: local-candidate";
            "lastCandidatePairRemoteType" last_candidate_pair_remote_type: Option<String>, None, "The type of its remote candidate.", "last", "getStats: remote-candidate.candidateType";
            "lastCandidatePairRemoteAddress" last_candidate_pair_remote_address: Option<String>, None, "Its remote address.", "last", "getStats: remote-candidate.address";
            "lastCandidatePairRemoteProtocol" last_candidate_pair_remote_protocol: Option<String>, None, "Its remote transport protocol.", "relayProtocol, else protocol; last", "getStats: remote-candidate";
            "reconnects" reconnects: Option<i64>, Count, "How often the connection was connected again; absent if it never was.", "how many connected come after disconnected or failed that came after connected", "onconnectionstatechange, else oniceconnectionstatechange";
            "disconnectedTime" disconnected_time: Option<i64>, Milliseconds, "How long it was not, after it had been connected.", "sum of disconnected or failed to connected, closed or the last event", "onconnectionstatechange, else oniceconnectionstatechange";
            "connectedDuration" connected_duration: Option<i64>, Milliseconds, "From when it was first connected to its last event (Jitsi's pcSessionDurationMs).", "last event - first connected or completed", "onconnectionstatechange, else oniceconnectionstatechange";
            "connectionFailed" connection_failed: Option<bool>, None, "Whether connectionState was ever failed.", "any is failed", "onconnectionstatechange";
            "lastIceFailureTime" last_ice_failure_time: Option<UnixMillis>, UnixMilliseconds, "When iceConnectionState was last failed.", "time of the last failed", "oniceconnectionstatechange";
            "lastIceDisconnectTime" last_ice_disconnect_time: Option<UnixMillis>, UnixMilliseconds, "When iceConnectionState was last disconnected.", "time of the last disconnected", "oniceconnectionstatechange";
            "dtlsErrors" dtls_errors: Option<u64>, Count, "Errors of DTLS transports.", "how many", "ondtlserror";
            "dtlsFailures" dtls_failures: Option<u64>, Count, "How often a DTLS transport failed.", "how many are failed", "ondtlsstatechange";
            "sdpCreateFailures" sdp_create_failures: Option<u64>, Count, "Offers and answers that could not be made.", "how many", "createOfferOnFailure, createAnswerOnFailure";
            "sdpSetFailures" sdp_set_failures: Option<u64>, Count, "Descriptions that could not be set.", "how many", "setLocalDescriptionOnFailure, setRemoteDescriptionOnFailure";
            "isP2p" is_p2p: Option<bool>, None, "Whether the connection is one between two participants, as Jitsi's client says.", "rtcStatsSFUP2P", "constraints.optional";
            "packetsSent" packets_sent: Option<i64>, Count, "Packets of all streams that were sent.", "sum of the last of each stream", "getStats: outbound-rtp.packetsSent";
            "packetsReceived" packets_received: Option<i64>, Count, "Packets of all streams that were received.", "sum of the last of each stream", "getStats: inbound-rtp.packetsReceived";
            "sentPacketsLost" sent_packets_lost: Option<i64>, Count, "Packets sent that the far end missed.", "sum of the last of each stream, none below 0", "getStats: remote-inbound-rtp.packetsLost";
            "receivedPacketsLost" received_packets_lost: Option<i64>, Count, "Packets that never came.", "sum of the last of each stream, none below 0", "getStats: inbound-rtp.packetsLost";
            "sentPacketsLostRatio" sent_packets_lost_ratio: Option<f64>, Fraction, "Share of the packets sent that the far end missed, from 0 to 1.", "sentPacketsLost / packetsSent of the streams whose far end told losses", "getStats: outbound-rtp.packetsSent, remote-inbound-rtp.packetsLost";
            "receivedPacketsLostRatio" received_packets_lost_ratio: Option<f64>, Fraction, "Share of the packets that never came, from 0 to 1.", "receivedPacketsLost / (packetsReceived of the streams that told losses + receivedPacketsLost)", "getStats: inbound-rtp.packetsReceived, packetsLost";
            "tallestInboundVideoHeight" tallest_inbound_video_height: Option<f64>, Pixels, "Mean height of the tallest video received at a time.", "mean, over samples with a video whose size and frame rate are known, of the largest frameHeight", "getStats: inbound-rtp.frameHeight";
            "tallestInboundVideoFrameRate" tallest_inbound_video_frame_rate: Option<f64>, FramesPerSecond, "Mean frame rate of it, of equally tall ones the faster.", "mean, over these samples, of its growth of framesDecoded / seconds", "getStats: inbound-rtp.frameHeight, framesDecoded";
            "shortestInboundVideoHeight" shortest_inbound_video_height: Option<f64>, Pixels, "Mean height of the shortest video received at a time.", "mean, over samples with a video whose size and frame rate are known, of the smallest frameHeight", "getStats: inbound-rtp.frameHeight";
            "shortestInboundVideoFrameRate" shortest_inbound_video_frame_rate: Option<f64>, FramesPerSecond, "Mean frame rate of it, of equally short ones the slower.", "mean, over these samples, of its growth of framesDecoded / seconds", "getStats: inbound-rtp.frameHeight, framesDecoded";
        }
    }
}

#[cfg(feature = "serde")]
impl Serialize for ConnectionFeatures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &self.id)?;
        self.serialize_values(&mut map, false)?;
        map.serialize_entry("tracks", &self.tracks)?;
        map.end()
    }
}
