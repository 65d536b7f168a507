//! The columns of the stats tables: the members that W3C's Identifiers for WebRTC's Statistics API defines for each kind of
//! entry (<https://www.w3.org/TR/webrtc-stats/>). This is the one list; the migration is tested against it.

use std::collections::HashMap;
use std::sync::LazyLock;

use Kind::{Bool, Integer, Json, Real, Text};

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
    /// Its name: the member's, in snake_case.
    pub(crate) name: String,
    /// Its type.
    pub(crate) kind: Kind,
}

/// A table of one kind of entry.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// The `type` of its entries.
    pub(crate) entry_kind: &'static str,
    /// Its columns between the key and `extra`.
    pub(crate) columns: Vec<Column>,
    by_member: HashMap<&'static str, usize>,
}

/// All tables.
pub(crate) static TABLES: LazyLock<[Table; 3]> = LazyLock::new(|| {
    [
        table("stats_inbound_rtp", "inbound-rtp", INBOUND_RTP),
        table("stats_outbound_rtp", "outbound-rtp", OUTBOUND_RTP),
        table("stats_candidate_pair", "candidate-pair", CANDIDATE_PAIR),
    ]
});

impl Table {
    /// The table of entries of that kind, if there is one.
    pub(crate) fn of(entry_kind: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.entry_kind == entry_kind)
    }

    /// The position of a member's column.
    pub(crate) fn position(&self, member: &str) -> Option<usize> {
        self.by_member.get(member).copied()
    }
}

fn table(name: &'static str, entry_kind: &'static str, members: &[(&'static str, Kind)]) -> Table {
    let columns = members.iter().map(|&(member, kind)| Column { name: snake_case(member), kind }).collect();
    let by_member = members.iter().enumerate().map(|(position, (member, _))| (*member, position)).collect();
    Table { name, entry_kind, columns, by_member }
}

fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

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

#[cfg(test)]
mod tests {
    use super::super::super::database::tests::{columns, fresh};
    use super::*;

    #[tokio::test]
    async fn the_migration_has_the_columns_of_this_list() {
        let (_dir, database) = fresh().await;
        for table in TABLES.iter() {
            let mut expected: Vec<(String, String)> =
                [("time", "REAL"), ("session_id", "TEXT"), ("connection_id", "TEXT"), ("stats_id", "TEXT")]
                    .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
                    .into();
            for column in &table.columns {
                let kind = match column.kind {
                    Integer | Bool => "INTEGER",
                    Real => "REAL",
                    Text | Json => "TEXT",
                };
                expected.push((column.name.clone(), kind.to_owned()));
            }
            expected.push(("extra".to_owned(), "TEXT".to_owned()));
            assert_eq!(columns(&database, table.name).await, expected, "{}", table.name);
        }
    }
}
