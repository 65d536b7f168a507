//! The columns of the stats tables: the members that W3C's Identifiers for WebRTC's Statistics API defines for each kind of
//! entry (<https://www.w3.org/TR/webrtc-stats/>), and what the SFU Sora counts itself. This is the one list; the migration is tested against it.

use std::collections::HashMap;
use std::sync::LazyLock;

use rtctrace_protocol::report::Property;
use rtctrace_protocol::sora::Subject;

use Kind::{Bool, Integer, Json, Real, Text};

use super::units::unit;

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `unsigned long`, `unsigned long long`, `long long`.
    Integer,
    /// `double` and `DOMHighResTimeStamp`.
    Real,
    /// `DOMString` and the enumerations.
    Text,
    /// `boolean`.
    Bool,
    /// A record, as JSON.
    Json,
}

/// A column.
#[derive(Debug)]
pub(crate) struct Column {
    /// The member, as W3C or Sora names it; one inside of objects by its path, `rtp.total_sent_rtp`.
    pub(crate) member: &'static str,
    /// Its name: the member's, in snake_case.
    pub(crate) name: String,
    /// Its type.
    pub(crate) kind: Kind,
}

impl Column {
    /// The unit of its values; empty for what is no quantity.
    pub(crate) fn unit(&self) -> &'static str {
        unit(self.member, self.kind)
    }
}

/// A table of one kind of entry.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// Whose entries it has: those of a client's reports, or those of what Sora counts.
    pub(crate) subject: Subject,
    /// The `type`s of its entries; none: all that no other table has. What Sora counts is one kind, whatever the `type`s of its entries.
    entry_kinds: &'static [&'static str],
    /// Its columns between the key and `extra`.
    pub(crate) columns: Vec<Column>,
    /// The places of the counters among them that views by minutes sum up. A table that has any has the column `before` over PostgreSQL, for
    /// these ([`super::before`]).
    pub(super) summed: Vec<usize>,
    by_member: HashMap<&'static str, usize>,
    /// The same by the index of the member's property, where its name has a token.
    by_property: Vec<Option<usize>>,
}

/// All tables. Of those with reports, the ones that most entries go to come first, and the one for whatever is left comes last.
pub(crate) static TABLES: LazyLock<[Table; 15]> = LazyLock::new(|| {
    [
        table("stats_inbound_rtp", &["inbound-rtp"], INBOUND_RTP).summed(INBOUND_RTP_SUMMED),
        table("stats_outbound_rtp", &["outbound-rtp"], OUTBOUND_RTP).summed(OUTBOUND_RTP_SUMMED),
        table("stats_remote_inbound_rtp", &["remote-inbound-rtp"], REMOTE_INBOUND_RTP),
        table("stats_remote_outbound_rtp", &["remote-outbound-rtp"], REMOTE_OUTBOUND_RTP),
        table("stats_media_source", &["media-source"], MEDIA_SOURCE),
        table("stats_candidate_pair", &["candidate-pair"], CANDIDATE_PAIR).summed(CANDIDATE_PAIR_SUMMED),
        table("stats_ice_candidate", &["local-candidate", "remote-candidate"], ICE_CANDIDATE),
        table("stats_codec", &["codec"], CODEC),
        table("stats_transport", &["transport"], TRANSPORT),
        table("stats_media_playout", &["media-playout"], MEDIA_PLAYOUT),
        table("stats_data_channel", &["data-channel"], DATA_CHANNEL),
        table("stats_peer_connection", &["peer-connection"], PEER_CONNECTION),
        table("stats_other", &[], OTHER),
        Table { subject: Subject::Connection, ..table("stats_sora_connection", &["sora-connection"], SORA_CONNECTION) },
        Table { subject: Subject::Node, ..table("stats_erlang_vm", &["erlang-vm"], ERLANG_VM) },
    ]
});

/// What the entries that have no table of their own are called.
const OTHERS: &str = "other";

/// The kinds of entries by name, as who asks for rows may call them, with their tables.
pub(crate) fn kinds() -> impl Iterator<Item = (&'static str, &'static Table)> {
    TABLES.iter().flat_map(|table| {
        let others = table.entry_kinds.is_empty().then_some(OTHERS);
        table.entry_kinds.iter().copied().chain(others).map(move |kind| (kind, table))
    })
}

/// The member that says of which kind an entry is. A table has a column for it where its entries may be of several.
pub(crate) const TYPE: &str = "type";

impl Table {
    fn summed(mut self, members: &[&str]) -> Self {
        self.summed = members.iter().filter_map(|member| self.position(member)).collect();
        self
    }

    /// The table of a client's entries of that kind.
    pub(crate) fn of(entry_kind: &str) -> Option<&'static Self> {
        let mut tables = TABLES.iter().filter(|table| table.subject == Subject::Client);
        tables.find(|table| table.entry_kinds.contains(&entry_kind) || table.entry_kinds.is_empty())
    }

    /// The table of what Sora counts of this.
    pub(crate) fn counted(subject: Subject) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.subject == subject && subject != Subject::Client)
    }

    /// The types of its entries; none: all that no other table has.
    #[cfg(test)]
    pub(crate) fn entry_kinds(&self) -> &'static [&'static str] {
        self.entry_kinds
    }

    /// The members that its columns are of, in their order.
    #[cfg(test)]
    pub(crate) fn members(&self) -> Vec<&'static str> {
        let mut members: Vec<(&usize, &&'static str)> =
            self.by_member.iter().map(|(member, at)| (at, member)).collect();
        members.sort_unstable();
        members.into_iter().map(|(_, member)| *member).collect()
    }

    /// Whether its entries are of several kinds, which a column tells apart.
    pub(crate) fn is_mixed(&self) -> bool {
        self.entry_kinds.len() > 1
    }

    /// The position of the column of a member, whose name may have a token.
    pub(crate) fn position_of(&self, property: Option<Property>, member: &str) -> Option<usize> {
        match property {
            Some(property) => self.by_property.get(property.index()).copied().flatten(),
            None => self.position(member),
        }
    }

    /// The position of a member's column.
    pub(crate) fn position(&self, member: &str) -> Option<usize> {
        self.by_member.get(member).copied()
    }
}

fn table(name: &'static str, entry_kinds: &'static [&'static str], members: &[(&'static str, Kind)]) -> Table {
    let columns = members.iter().map(|&(member, kind)| Column { member, name: snake_case(member), kind }).collect();
    let mut by_property = Vec::new();
    for (position, (member, _)) in members.iter().enumerate() {
        let Some(index) = Property::of_name(member).map(|property| property.index()) else { continue };
        if by_property.len() <= index {
            by_property.resize(index + 1, None);
        }
        if let Some(place) = by_property.get_mut(index) {
            *place = Some(position);
        }
    }
    let by_member = members.iter().enumerate().map(|(position, (member, _))| (*member, position)).collect();
    Table { name, subject: Subject::Client, entry_kinds, columns, summed: Vec::new(), by_member, by_property }
}

fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(if c == '.' { '_' } else { c.to_ascii_lowercase() });
    }
    out
}

/// What views by minutes sum up of entries of type `inbound-rtp`.
const INBOUND_RTP_SUMMED: &[&str] = &[
    "packetsReceived",
    "packetsLost",
    "bytesReceived",
    "jitterBufferDelay",
    "jitterBufferEmittedCount",
    "concealedSamples",
    "totalSamplesReceived",
    "totalFreezesDuration",
];

/// The same of entries of type `outbound-rtp`.
const OUTBOUND_RTP_SUMMED: &[&str] = &["packetsSent", "bytesSent", "retransmittedPacketsSent", "nackCount", "pliCount"];

/// The same of entries of type `candidate-pair`.
const CANDIDATE_PAIR_SUMMED: &[&str] = &["bytesSent", "bytesReceived"];

/// Entries of type `inbound-rtp`.
const INBOUND_RTP: &[(&str, Kind)] = &[
    ("ssrc", Integer),
    ("kind", Text),
    ("transportId", Text),
    ("codecId", Text),
    ("packetsReceived", Integer),
    ("packetsReceivedWithEct1", Integer),
    ("packetsReceivedWithCe", Integer),
    ("packetsReportedAsLost", Integer),
    ("packetsReportedAsLostButRecovered", Integer),
    ("packetsLost", Integer),
    ("jitter", Real),
    ("trackIdentifier", Text),
    ("mid", Text),
    ("remoteId", Text),
    ("framesDecoded", Integer),
    ("keyFramesDecoded", Integer),
    ("framesRendered", Integer),
    ("framesDropped", Integer),
    ("frameWidth", Integer),
    ("frameHeight", Integer),
    ("framesPerSecond", Real),
    ("qpSum", Integer),
    ("totalDecodeTime", Real),
    ("totalInterFrameDelay", Real),
    ("totalSquaredInterFrameDelay", Real),
    ("pauseCount", Integer),
    ("totalPausesDuration", Real),
    ("freezeCount", Integer),
    ("totalFreezesDuration", Real),
    ("lastPacketReceivedTimestamp", Real),
    ("headerBytesReceived", Integer),
    ("packetsDiscarded", Integer),
    ("fecBytesReceived", Integer),
    ("fecPacketsReceived", Integer),
    ("fecPacketsDiscarded", Integer),
    ("bytesReceived", Integer),
    ("nackCount", Integer),
    ("firCount", Integer),
    ("pliCount", Integer),
    ("totalProcessingDelay", Real),
    ("estimatedPlayoutTimestamp", Real),
    ("jitterBufferDelay", Real),
    ("jitterBufferTargetDelay", Real),
    ("jitterBufferEmittedCount", Integer),
    ("jitterBufferMinimumDelay", Real),
    ("totalSamplesReceived", Integer),
    ("concealedSamples", Integer),
    ("silentConcealedSamples", Integer),
    ("concealmentEvents", Integer),
    ("insertedSamplesForDeceleration", Integer),
    ("removedSamplesForAcceleration", Integer),
    ("audioLevel", Real),
    ("totalAudioEnergy", Real),
    ("totalSamplesDuration", Real),
    ("framesReceived", Integer),
    ("decoderImplementation", Text),
    ("playoutId", Text),
    ("powerEfficientDecoder", Bool),
    ("framesAssembledFromMultiplePackets", Integer),
    ("totalAssemblyTime", Real),
    ("retransmittedPacketsReceived", Integer),
    ("retransmittedBytesReceived", Integer),
    ("rtxSsrc", Integer),
    ("fecSsrc", Integer),
    ("totalCorruptionProbability", Real),
    ("totalSquaredCorruptionProbability", Real),
    ("corruptionMeasurements", Integer),
];

/// Entries of type `outbound-rtp`.
const OUTBOUND_RTP: &[(&str, Kind)] = &[
    ("ssrc", Integer),
    ("kind", Text),
    ("transportId", Text),
    ("codecId", Text),
    ("packetsSent", Integer),
    ("bytesSent", Integer),
    ("mid", Text),
    ("mediaSourceId", Text),
    ("remoteId", Text),
    ("rid", Text),
    ("encodingIndex", Integer),
    ("headerBytesSent", Integer),
    ("retransmittedPacketsSent", Integer),
    ("retransmittedBytesSent", Integer),
    ("rtxSsrc", Integer),
    ("targetBitrate", Real),
    ("totalEncodedBytesTarget", Integer),
    ("frameWidth", Integer),
    ("frameHeight", Integer),
    ("framesPerSecond", Real),
    ("framesSent", Integer),
    ("hugeFramesSent", Integer),
    ("framesEncoded", Integer),
    ("keyFramesEncoded", Integer),
    ("qpSum", Integer),
    ("psnrSum", Json),
    ("psnrMeasurements", Integer),
    ("totalEncodeTime", Real),
    ("totalPacketSendDelay", Real),
    ("qualityLimitationReason", Text),
    ("qualityLimitationDurations", Json),
    ("qualityLimitationResolutionChanges", Integer),
    ("nackCount", Integer),
    ("firCount", Integer),
    ("pliCount", Integer),
    ("encoderImplementation", Text),
    ("powerEfficientEncoder", Bool),
    ("active", Bool),
    ("scalabilityMode", Text),
    ("packetsSentWithEct1", Integer),
];

/// Entries of type `candidate-pair`.
const CANDIDATE_PAIR: &[(&str, Kind)] = &[
    ("transportId", Text),
    ("localCandidateId", Text),
    ("remoteCandidateId", Text),
    ("state", Text),
    ("nominated", Bool),
    ("packetsSent", Integer),
    ("packetsReceived", Integer),
    ("bytesSent", Integer),
    ("bytesReceived", Integer),
    ("lastPacketSentTimestamp", Real),
    ("lastPacketReceivedTimestamp", Real),
    ("totalRoundTripTime", Real),
    ("currentRoundTripTime", Real),
    ("availableOutgoingBitrate", Real),
    ("availableIncomingBitrate", Real),
    ("requestsReceived", Integer),
    ("requestsSent", Integer),
    ("responsesReceived", Integer),
    ("responsesSent", Integer),
    ("consentRequestsSent", Integer),
    ("packetsDiscardedOnSend", Integer),
    ("bytesDiscardedOnSend", Integer),
];

/// Entries of type `remote-inbound-rtp`.
const REMOTE_INBOUND_RTP: &[(&str, Kind)] = &[
    ("ssrc", Integer),
    ("kind", Text),
    ("transportId", Text),
    ("codecId", Text),
    ("packetsReceived", Integer),
    ("packetsReceivedWithEct1", Integer),
    ("packetsReceivedWithCe", Integer),
    ("packetsReportedAsLost", Integer),
    ("packetsReportedAsLostButRecovered", Integer),
    ("packetsLost", Integer),
    ("jitter", Real),
    ("localId", Text),
    ("roundTripTime", Real),
    ("totalRoundTripTime", Real),
    ("fractionLost", Real),
    ("roundTripTimeMeasurements", Integer),
    ("packetsWithBleachedEct1Marking", Integer),
];

/// Entries of type `remote-outbound-rtp`.
const REMOTE_OUTBOUND_RTP: &[(&str, Kind)] = &[
    ("ssrc", Integer),
    ("kind", Text),
    ("transportId", Text),
    ("codecId", Text),
    ("packetsSent", Integer),
    ("bytesSent", Integer),
    ("localId", Text),
    ("remoteTimestamp", Real),
    ("reportsSent", Integer),
    ("roundTripTime", Real),
    ("totalRoundTripTime", Real),
    ("roundTripTimeMeasurements", Integer),
];

/// Entries of type `media-source`, of audio and of video.
const MEDIA_SOURCE: &[(&str, Kind)] = &[
    ("trackIdentifier", Text),
    ("kind", Text),
    ("audioLevel", Real),
    ("totalAudioEnergy", Real),
    ("totalSamplesDuration", Real),
    ("echoReturnLoss", Real),
    ("echoReturnLossEnhancement", Real),
    ("width", Integer),
    ("height", Integer),
    ("frames", Integer),
    ("framesPerSecond", Real),
];

/// Entries of the types `local-candidate` and `remote-candidate`.
const ICE_CANDIDATE: &[(&str, Kind)] = &[
    (TYPE, Text),
    ("transportId", Text),
    ("address", Text),
    ("port", Integer),
    ("protocol", Text),
    ("candidateType", Text),
    ("priority", Integer),
    ("url", Text),
    ("relayProtocol", Text),
    ("foundation", Text),
    ("relatedAddress", Text),
    ("relatedPort", Integer),
    ("usernameFragment", Text),
    ("tcpType", Text),
];

/// Entries of type `codec`.
const CODEC: &[(&str, Kind)] = &[
    ("payloadType", Integer),
    ("transportId", Text),
    ("mimeType", Text),
    ("clockRate", Integer),
    ("channels", Integer),
    ("sdpFmtpLine", Text),
];

/// Entries of type `transport`.
const TRANSPORT: &[(&str, Kind)] = &[
    ("packetsSent", Integer),
    ("packetsReceived", Integer),
    ("bytesSent", Integer),
    ("bytesReceived", Integer),
    ("iceRole", Text),
    ("iceLocalUsernameFragment", Text),
    ("dtlsState", Text),
    ("iceState", Text),
    ("selectedCandidatePairId", Text),
    ("localCertificateId", Text),
    ("remoteCertificateId", Text),
    ("tlsVersion", Text),
    ("dtlsCipher", Text),
    ("dtlsRole", Text),
    ("srtpCipher", Text),
    ("selectedCandidatePairChanges", Integer),
    ("ccfbMessagesSent", Integer),
    ("ccfbMessagesReceived", Integer),
];

/// Entries of type `media-playout`.
const MEDIA_PLAYOUT: &[(&str, Kind)] = &[
    ("kind", Text),
    ("synthesizedSamplesDuration", Real),
    ("synthesizedSamplesEvents", Integer),
    ("totalSamplesDuration", Real),
    ("totalPlayoutDelay", Real),
    ("totalSamplesCount", Integer),
];

/// Entries of type `data-channel`.
const DATA_CHANNEL: &[(&str, Kind)] = &[
    ("label", Text),
    ("protocol", Text),
    ("dataChannelIdentifier", Integer),
    ("state", Text),
    ("messagesSent", Integer),
    ("bytesSent", Integer),
    ("messagesReceived", Integer),
    ("bytesReceived", Integer),
];

/// Entries of type `peer-connection`.
const PEER_CONNECTION: &[(&str, Kind)] = &[("dataChannelsOpened", Integer), ("dataChannelsClosed", Integer)];

/// Entries of any other type: `certificate`, and those that W3C does not know.
const OTHER: &[(&str, Kind)] = &[(TYPE, Text)];

/// What Sora counts of a connection (`connection.sora`): of the counters of its statistics API
/// (<https://sora-doc.shiguredo.jp/API_STATS>), those that say how much went through, what was asked for again, and how stable the network is. The
/// names of RTP, RTCP and TURN are as old as 2017.
const SORA_CONNECTION: &[(&str, Kind)] = &[
    (TYPE, Text),
    ("rtp.total_received_rtp", Integer),
    ("rtp.total_received_rtp_byte_size", Integer),
    ("rtp.total_sent_rtp", Integer),
    ("rtp.total_sent_rtp_byte_size", Integer),
    ("rtp.total_received_packets", Integer),
    ("rtp.total_received_bytes", Integer),
    ("rtp.total_sent_packets", Integer),
    ("rtp.total_sent_bytes", Integer),
    ("rtp.total_received_rtcp", Integer),
    ("rtp.total_received_rtcp_rtpfb_generic_nack", Integer),
    ("rtp.total_received_rtcp_psfb_pli", Integer),
    ("rtp.total_received_rtcp_psfb_fir", Integer),
    ("rtp.total_sent_rtcp", Integer),
    ("rtp.total_sent_rtcp_rtpfb_generic_nack", Integer),
    ("rtp.total_sent_rtcp_psfb_pli", Integer),
    ("rtp.total_sent_rtcp_psfb_fir", Integer),
    ("srtp.total_received_srtp", Integer),
    ("srtp.total_received_srtp_byte_size", Integer),
    ("srtp.total_sent_srtp", Integer),
    ("srtp.total_sent_srtp_byte_size", Integer),
    ("srtp.total_decrypted_srtp", Integer),
    ("srtp.total_decrypted_srtp_byte_size", Integer),
    ("sctp.total_received_sctp", Integer),
    ("sctp.total_received_sctp_byte_size", Integer),
    ("sctp.total_sent_sctp", Integer),
    ("sctp.total_sent_sctp_byte_size", Integer),
    ("dtls.total_received_dtls", Integer),
    ("dtls.total_sent_dtls", Integer),
    ("turn.total_received_channel_data", Integer),
    ("turn.total_received_send_indication", Integer),
    ("turn.total_sent_channel_data", Integer),
    ("turn.total_sent_data_indication", Integer),
    ("ice_connection_state.total_connected_req", Integer),
    ("ice_connection_state.total_connected_ack", Integer),
    ("ice_connection_state.total_checking_req", Integer),
    ("network_status.unstable_level", Integer),
    ("network_status.total_unstable_level0", Integer),
    ("network_status.total_unstable_level1", Integer),
    ("network_status.total_unstable_level2", Integer),
    ("network_status.total_unstable_level3", Integer),
    ("spotlight.total_spotlight_focus_succeeded", Integer),
    ("spotlight.total_spotlight_focus_failed", Integer),
];

/// The Erlang machine of a node of Sora's (`node.erlang-vm`): `erlang:memory/0`, and of `erlang:statistics/1` what Sora reports
/// (<https://www.erlang.org/doc/apps/erts/erlang.html>).
const ERLANG_VM: &[(&str, Kind)] = &[
    (TYPE, Text),
    ("memory.total", Integer),
    ("memory.processes", Integer),
    ("memory.processes_used", Integer),
    ("memory.system", Integer),
    ("memory.atom", Integer),
    ("memory.atom_used", Integer),
    ("memory.binary", Integer),
    ("memory.code", Integer),
    ("memory.ets", Integer),
    ("statistics.context_switches", Integer),
    ("statistics.exact_reductions.total_exact_reductions", Integer),
    ("statistics.garbage_collection.number_of_gcs", Integer),
    ("statistics.garbage_collection.words_reclaimed", Integer),
    ("statistics.io.input", Integer),
    ("statistics.io.output", Integer),
    ("statistics.reductions.total_reductions", Integer),
    ("statistics.run_queue", Integer),
    ("statistics.runtime.total_run_time", Integer),
    ("statistics.total_active_tasks", Integer),
    ("statistics.total_active_tasks_all", Integer),
    ("statistics.total_run_queue_lengths", Integer),
    ("statistics.total_run_queue_lengths_all", Integer),
    ("statistics.wall_clock.total_wallclock_time", Integer),
];

#[cfg(test)]
mod tests {
    use super::super::super::database::Database;
    use super::super::super::database::tests::{Types, both, columns};
    use super::*;

    #[tokio::test]
    async fn the_migrations_have_the_columns_of_this_list() {
        for (_guard, database) in both().await {
            let types = Types::of(&database);
            for table in TABLES.iter() {
                let key = [
                    ("time", types.exact_time),
                    ("session_id", types.id),
                    ("connection_id", types.text),
                    ("stats_id", types.text),
                ];
                let mut expected: Vec<(&str, &str)> = key.into();
                for column in &table.columns {
                    let kind = match column.kind {
                        Integer => types.integer,
                        Bool => types.bool,
                        Real => types.real,
                        Text => types.text,
                        Json => types.json,
                    };
                    expected.push((&column.name, kind));
                }
                expected.push(("extra", types.json));
                if !table.summed.is_empty() && matches!(database, Database::Postgres(_)) {
                    expected.push(("before", types.json));
                }
                let found = columns(&database, table.name).await;
                let found: Vec<(&str, &str)> = found.iter().map(|(name, kind)| (&**name, &**kind)).collect();
                assert_eq!(found, expected, "{}", table.name);
            }
        }
    }
}
