//! The static tables of the rtcstats 5.0 wire and dump format: names and the tokens that stand for them. A token is never
//! given to another name. Tokens that readers must know and writers must not send are kept apart.

use crate::json::RawValue;

/// The token of `getStats` is a letter; all others are numbers.
const GET_STATS: (&str, &str) = ("getStats", "g");

/// Methods and the numbers that writers send for them.
pub(crate) const METHODS: &[(&str, u8)] = &[
    ("createOffer", 2),
    ("createOfferOnSuccess", 3),
    ("createOfferOnFailure", 12),
    ("createAnswer", 4),
    ("createAnswerOnSuccess", 5),
    ("createAnswerOnFailure", 13),
    ("setLocalDescription", 6),
    ("setLocalDescriptionOnSuccess", 7),
    ("setLocalDescriptionOnFailure", 14),
    ("setRemoteDescription", 8),
    ("setRemoteDescriptionOnSuccess", 9),
    ("setRemoteDescriptionOnFailure", 15),
    ("addIceCandidate", 10),
    ("addIceCandidateOnSuccess", 11),
    ("addIceCandidateOnFailure", 16),
    ("onicecandidate", 20),
    ("onicecandidateerror", 21),
    ("ontrack", 22),
    ("onsignalingstatechange", 23),
    ("oniceconnectionstatechange", 24),
    ("onconnectionstatechange", 25),
    ("onicegatheringstatechange", 26),
    ("onnegotiationneeded", 27),
    ("ondatachannel", 28),
    ("addTrack", 30),
    ("addTrackOnSuccess", 31),
    ("addTransceiver", 32),
    ("addTransceiverOnSuccess", 33),
    ("removeTrack", 34),
    ("createDataChannel", 35),
    ("close", 36),
    ("restartIce", 37),
    ("setConfiguration", 38),
    ("create", 39),
    ("constraints", 40),
    ("setCodecPreferences", 41),
    ("setHeaderExtensionsToNegotiate", 42),
    ("setParameters", 50),
    ("replaceTrack", 51),
    ("navigator.mediaDevices.getUserMedia", 60),
    ("navigator.mediaDevices.getUserMediaOnSuccess", 61),
    ("navigator.mediaDevices.getUserMediaOnFailure", 65),
    ("navigator.mediaDevices.getDisplayMedia", 63),
    ("navigator.mediaDevices.getDisplayMediaOnSuccess", 64),
    ("navigator.mediaDevices.enumerateDevices", 66),
    ("navigator.mediaDevices.ondevicechange", 67),
    ("MediaStreamTrack.stop", 70),
    ("MediaStreamTrack.applyConstraints", 71),
    ("MediaStreamTrack.onended", 72),
    ("MediaStreamTrack.onmute", 73),
    ("MediaStreamTrack.onunmute", 74),
    ("HTMLMediaElement.resize", 80),
];

/// Methods under numbers that are only read.
pub(crate) const METHODS_READ_ONLY: &[(&str, u8)] =
    &[("getStats", 1), ("navigator.mediaDevices.getDisplayMediaOnFailure", 68)];

/// Values of `type` and their numbers.
pub(crate) const STATS_TYPES: &[(&str, u8)] = &[
    ("inbound-rtp", 1),
    ("outbound-rtp", 2),
    ("remote-inbound-rtp", 3),
    ("remote-outbound-rtp", 4),
    ("transport", 5),
    ("candidate-pair", 6),
    ("local-candidate", 7),
    ("remote-candidate", 8),
    ("data-channel", 9),
    ("peer-connection", 10),
    ("certificate", 11),
    ("media-source", 12),
    ("media-playout", 13),
    ("codec", 14),
];

/// Member names of stats entries and their numbers; `timestamp`, whose token is `t`, is not among them.
pub(crate) const PROPERTIES: &[(&str, u8)] = &[
    ("payloadType", 4),
    ("transportId", 5),
    ("mimeType", 6),
    ("clockRate", 7),
    ("channels", 8),
    ("sdpFmtpLine", 9),
    ("ssrc", 10),
    ("kind", 11),
    ("codecId", 12),
    ("packetsReceived", 14),
    ("packetsLost", 15),
    ("jitter", 16),
    ("trackIdentifier", 17),
    ("mid", 18),
    ("remoteId", 19),
    ("framesDecoded", 20),
    ("keyFramesDecoded", 21),
    ("framesDropped", 22),
    ("frameWidth", 23),
    ("frameHeight", 24),
    ("framesPerSecond", 25),
    ("qpSum", 26),
    ("totalDecodeTime", 27),
    ("totalInterFrameDelay", 28),
    ("totalSquaredInterFrameDelay", 29),
    ("pauseCount", 30),
    ("totalPausesDuration", 31),
    ("freezeCount", 32),
    ("totalFreezesDuration", 33),
    ("lastPacketReceivedTimestamp", 34),
    ("headerBytesReceived", 35),
    ("packetsDiscarded", 36),
    ("fecPacketsReceived", 37),
    ("fecPacketsDiscarded", 38),
    ("fecBytesReceived", 39),
    ("fecSsrc", 40),
    ("bytesReceived", 41),
    ("nackCount", 42),
    ("firCount", 43),
    ("pliCount", 44),
    ("totalProcessingDelay", 45),
    ("estimatedPlayoutTimestamp", 46),
    ("jitterBufferDelay", 47),
    ("jitterBufferTargetDelay", 48),
    ("jitterBufferEmittedCount", 49),
    ("jitterBufferMinimumDelay", 50),
    ("totalSamplesReceived", 51),
    ("concealedSamples", 52),
    ("silentConcealedSamples", 53),
    ("concealmentEvents", 54),
    ("insertedSamplesForDeceleration", 55),
    ("removedSamplesForAcceleration", 56),
    ("audioLevel", 57),
    ("totalAudioEnergy", 58),
    ("totalSamplesDuration", 59),
    ("framesReceived", 60),
    ("decoderImplementation", 61),
    ("playoutId", 62),
    ("powerEfficientDecoder", 63),
    ("framesAssembledFromMultiplePackets", 64),
    ("totalAssemblyTime", 65),
    ("contentType", 66),
    ("googTimingFrameInfo", 67),
    ("retransmittedPacketsReceived", 68),
    ("retransmittedBytesReceived", 69),
    ("rtxSsrc", 70),
    ("totalCorruptionProbability", 71),
    ("totalSquaredCorruptionProbability", 72),
    ("corruptionMeasurements", 73),
    ("localId", 74),
    ("roundTripTime", 75),
    ("totalRoundTripTime", 76),
    ("fractionLost", 77),
    ("roundTripTimeMeasurements", 78),
    ("packetsSent", 79),
    ("bytesSent", 80),
    ("mediaSourceId", 81),
    ("rid", 82),
    ("encodingIndex", 83),
    ("headerBytesSent", 84),
    ("retransmittedPacketsSent", 85),
    ("retransmittedBytesSent", 86),
    ("targetBitrate", 87),
    ("totalEncodedBytesTarget", 88),
    ("framesSent", 89),
    ("hugeFramesSent", 90),
    ("framesEncoded", 91),
    ("keyFramesEncoded", 92),
    ("totalEncodeTime", 93),
    ("totalPacketSendDelay", 94),
    ("qualityLimitationReason", 95),
    ("qualityLimitationDurations", 96),
    ("qualityLimitationResolutionChanges", 97),
    ("encoderImplementation", 98),
    ("powerEfficientEncoder", 99),
    ("active", 100),
    ("scalabilityMode", 101),
    ("remoteTimestamp", 102),
    ("reportsSent", 103),
    ("echoReturnLoss", 104),
    ("echoReturnLossEnhancement", 105),
    ("width", 106),
    ("height", 107),
    ("frames", 108),
    ("synthesizedSamplesDuration", 109),
    ("synthesizedSamplesEvents", 110),
    ("totalPlayoutDelay", 111),
    ("totalSamplesCount", 112),
    ("dataChannelsOpened", 113),
    ("dataChannelsClosed", 114),
    ("label", 115),
    ("protocol", 116),
    ("dataChannelIdentifier", 117),
    ("state", 118),
    ("messagesSent", 119),
    ("messagesReceived", 120),
    ("iceRole", 121),
    ("iceLocalUsernameFragment", 122),
    ("dtlsState", 123),
    ("iceState", 124),
    ("selectedCandidatePairId", 125),
    ("localCertificateId", 126),
    ("remoteCertificateId", 127),
    ("tlsVersion", 128),
    ("dtlsCipher", 129),
    ("dtlsRole", 130),
    ("srtpCipher", 131),
    ("selectedCandidatePairChanges", 132),
    ("rtcpTransportStatsId", 133),
    ("address", 134),
    ("port", 135),
    ("candidateType", 136),
    ("priority", 137),
    ("url", 138),
    ("relayProtocol", 139),
    ("foundation", 140),
    ("relatedAddress", 141),
    ("relatedPort", 142),
    ("usernameFragment", 143),
    ("tcpType", 144),
    ("networkType", 145),
    ("localCandidateId", 148),
    ("remoteCandidateId", 149),
    ("nominated", 150),
    ("lastPacketSentTimestamp", 151),
    ("currentRoundTripTime", 152),
    ("availableOutgoingBitrate", 153),
    ("availableIncomingBitrate", 154),
    ("requestsReceived", 155),
    ("requestsSent", 156),
    ("responsesReceived", 157),
    ("responsesSent", 158),
    ("consentRequestsSent", 159),
    ("packetsDiscardedOnSend", 160),
    ("bytesDiscardedOnSend", 161),
    ("fingerprint", 163),
    ("fingerprintAlgorithm", 164),
    ("base64Certificate", 165),
    ("issuerCertificateId", 166),
];

/// Member names under numbers that are only read.
pub(crate) const PROPERTIES_READ_ONLY: &[(&str, u8)] = &[
    ("psnrMeasurements", 167),
    ("psnrSum", 168),
    ("packetsReceivedWithEct1", 169),
    ("packetsReceivedWithCe", 170),
    ("packetsReportedAsLost", 171),
    ("packetsReportedAsLostButRecovered", 172),
    ("packetsWithBleachedEct1Marking", 173),
    ("packetsSentWithEct1", 174),
    ("ccfbMessagesSent", 175),
    ("ccfbMessagesReceived", 176),
];

/// Size of the hash index over names: a power of two, at least twice the largest table.
const SLOTS: usize = 512;

/// Finds a name's position in a table, or a number's: both built at compile time.
struct Index {
    by_name: [u8; SLOTS],
    by_token: [u8; 256],
}

const EMPTY: u8 = 255;

/// FNV-1a; short names are all it ever sees.
const fn hash(name: &[u8]) -> usize {
    let mut hash: u32 = 0x811c_9dc5;
    let mut rest = name;
    while let [byte, tail @ ..] = rest {
        hash = (hash ^ *byte as u32).wrapping_mul(0x0100_0193);
        rest = tail;
    }
    ((hash >> 16) ^ hash) as usize % SLOTS
}

#[allow(clippy::indexing_slicing)] // evaluated by the compiler, which refuses an index out of range
const fn index(written: &[(&str, u8)], read: &[(&str, u8)]) -> Index {
    assert!(written.len() + read.len() < EMPTY as usize);
    let mut by_name = [EMPTY; SLOTS];
    let mut by_token = [EMPTY; 256];
    let mut at = 0;
    while at < written.len() + read.len() {
        let (name, token) = if at < written.len() { written[at] } else { read[at - written.len()] };
        let mut slot = hash(name.as_bytes());
        while by_name[slot] != EMPTY {
            slot = (slot + 1) % SLOTS;
        }
        by_name[slot] = at as u8;
        assert!(by_token[token as usize] == EMPTY);
        by_token[token as usize] = at as u8;
        at += 1;
    }
    Index { by_name, by_token }
}

/// A table with its index. Positions count the written names first, then those that are only read.
struct Table {
    written: &'static [(&'static str, u8)],
    read: &'static [(&'static str, u8)],
    index: Index,
}

impl Table {
    fn row(&self, position: u8) -> Option<(&'static str, u8)> {
        let position = usize::from(position);
        self.written.get(position).or_else(|| self.read.get(position.checked_sub(self.written.len())?)).copied()
    }

    fn find_name(&self, name: &str) -> Option<u8> {
        let mut slot = hash(name.as_bytes());
        loop {
            let position = *self.index.by_name.get(slot)?;
            if position == EMPTY {
                return None;
            }
            if self.row(position).is_some_and(|(known, _)| known == name) {
                return Some(position);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    fn find_token(&self, token: u8) -> Option<u8> {
        self.index.by_token.get(usize::from(token)).copied().filter(|position| *position != EMPTY)
    }

    /// The token that a writer may send for the row at `position`.
    fn written_token(&self, position: u8) -> Option<u8> {
        self.written.get(usize::from(position)).map(|(_, token)| *token)
    }
}

static METHOD_TABLE: Table =
    Table { written: METHODS, read: METHODS_READ_ONLY, index: index(METHODS, METHODS_READ_ONLY) };
static TYPE_TABLE: Table = Table { written: STATS_TYPES, read: &[], index: index(STATS_TYPES, &[]) };
static PROPERTY_TABLE: Table =
    Table { written: PROPERTIES, read: PROPERTIES_READ_ONLY, index: index(PROPERTIES, PROPERTIES_READ_ONLY) };

/// What a writer puts in a line for a method.
pub(crate) enum MethodToken {
    /// The letter of `getStats`.
    Letter(&'static str),
    /// A number.
    Number(u8),
    /// The method has no token: its name travels as it is.
    Name,
}

pub(crate) fn method_token(name: &str) -> MethodToken {
    if name == GET_STATS.0 {
        return MethodToken::Letter(GET_STATS.1);
    }
    match METHOD_TABLE.find_name(name).and_then(|position| METHOD_TABLE.written_token(position)) {
        Some(number) => MethodToken::Number(number),
        None => MethodToken::Name,
    }
}

/// The name of the method whose token is that number.
pub(crate) fn method_of_number(token: RawValue<'_>) -> Option<&'static str> {
    let position = METHOD_TABLE.find_token(u8::try_from(token.as_u64()?).ok()?)?;
    METHOD_TABLE.row(position).map(|(name, _)| name)
}

/// The name of the method whose token is that string, when it is one.
pub(crate) fn method_of_letter(token: &str) -> Option<&'static str> {
    (token == GET_STATS.1).then_some(GET_STATS.0)
}

/// The token of a value of `type`.
pub(crate) fn type_token(name: &str) -> Option<u8> {
    TYPE_TABLE.written_token(TYPE_TABLE.find_name(name)?)
}

/// The value of `type` behind a token.
pub(crate) fn type_of_token(token: RawValue<'_>) -> Option<&'static str> {
    let position = TYPE_TABLE.find_token(u8::try_from(token.as_u64()?).ok()?)?;
    TYPE_TABLE.row(position).map(|(name, _)| name)
}

/// A member name that has a token: its position in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Property(u8);

impl Property {
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        PROPERTY_TABLE.find_name(name).map(Self)
    }

    /// The property behind the token `text`, digits as they stand in an object key.
    pub(crate) fn of_token(text: &str) -> Option<Self> {
        if text.starts_with('0') || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        PROPERTY_TABLE.find_token(text.parse().ok()?).map(Self)
    }

    pub(crate) fn name(self) -> &'static str {
        PROPERTY_TABLE.row(self.0).map_or("", |(name, _)| name)
    }

    /// The token that a writer may send.
    pub(crate) fn token(self) -> Option<u8> {
        PROPERTY_TABLE.written_token(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published() -> serde_json::Value {
        serde_json::from_str(include_str!("../../tests/fixtures/rtcstats-tables.json")).unwrap()
    }

    fn rows(published: &serde_json::Value) -> Vec<(String, u8)> {
        let object = published.as_object().into_iter().flatten();
        object.filter_map(|(name, token)| Some((name.clone(), u8::try_from(token.as_u64()?).ok()?))).collect()
    }

    fn own(table: &[(&str, u8)]) -> Vec<(String, u8)> {
        let mut rows: Vec<_> = table.iter().map(|(name, token)| ((*name).to_owned(), *token)).collect();
        rows.sort();
        rows
    }

    #[test]
    fn the_tables_are_the_published_ones() {
        let published = published();
        for (section, table) in [
            ("/methods/encode", METHODS),
            ("/methods/decode_only", METHODS_READ_ONLY),
            ("/stats_types/encode", STATS_TYPES),
            ("/stats_properties/encode", PROPERTIES),
            ("/stats_properties/decode_only", PROPERTIES_READ_ONLY),
        ] {
            let mut expected = rows(published.pointer(section).unwrap());
            expected.sort();
            assert_eq!(own(table), expected, "{section}");
        }
        assert_eq!(published["methods"]["encode"]["getStats"], "g");
        assert_eq!(published["stats_properties"]["encode"]["timestamp"], "t");
    }

    #[test]
    fn every_name_and_every_token_is_found() {
        for table in [&METHOD_TABLE, &TYPE_TABLE, &PROPERTY_TABLE] {
            for (name, token) in table.written.iter().chain(table.read) {
                let by_name = table.find_name(name).unwrap();
                assert_eq!(table.find_token(*token), Some(by_name));
                assert_eq!(table.row(by_name), Some((*name, *token)));
            }
            assert_eq!(table.find_name("nothing"), None);
            assert_eq!(table.find_token(250), None);
        }
        assert!(Property::of_name("psnrSum").unwrap().token().is_none(), "read-only tokens are not sent");
        assert_eq!(Property::of_token("168").unwrap().name(), "psnrSum");
        assert_eq!(Property::of_token("014"), None);
    }
}
