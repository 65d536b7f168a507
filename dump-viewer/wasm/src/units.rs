//! What the numeric members of stats entries are: their unit, and whether they count up over the life of the entry.
//! Units are those of the W3C identifiers: seconds and bytes, unless the definition says otherwise.

/// How a member's number behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// Goes up and down: a level, a size, a rate.
    Gauge,
    /// Accumulates from the start; its rate says more than its value.
    Counter,
}

const COUNTER_PREFIXES: [&str; 26] = [
    "total",
    "packets",
    "bytes",
    "headerBytes",
    "retransmitted",
    "fecPackets",
    "fecBytes",
    "concealed",
    "concealment",
    "silentConcealed",
    "insertedSamples",
    "removedSamples",
    "synthesizedSamples",
    "keyFrames",
    "hugeFrames",
    "framesDecoded",
    "framesDropped",
    "framesReceived",
    "framesSent",
    "framesEncoded",
    "framesAssembled",
    "messages",
    "requests",
    "responses",
    "consentRequests",
    "ccfbMessages",
];

const COUNTERS: [&str; 22] = [
    "frames",
    "nackCount",
    "firCount",
    "pliCount",
    "freezeCount",
    "pauseCount",
    "qpSum",
    "jitterBufferDelay",
    "jitterBufferTargetDelay",
    "jitterBufferMinimumDelay",
    "jitterBufferEmittedCount",
    "roundTripTimeMeasurements",
    "corruptionMeasurements",
    "psnrMeasurements",
    "reportsSent",
    "qualityLimitationResolutionChanges",
    "selectedCandidatePairChanges",
    "dataChannelsOpened",
    "dataChannelsClosed",
    "interruptionCount",
    "droppedSamplesDuration",
    "droppedSamplesEvents",
];

pub(crate) fn behaviour(member: &str) -> Behaviour {
    let nested_counter = member.starts_with("qualityLimitationDurations.") || member.starts_with("psnrSum.");
    if nested_counter || COUNTERS.contains(&member) || COUNTER_PREFIXES.iter().any(|prefix| member.starts_with(prefix))
    {
        Behaviour::Counter
    } else {
        Behaviour::Gauge
    }
}

/// The unit of a member, empty if it has none.
pub(crate) fn unit(member: &str) -> &'static str {
    match member {
        "jitter"
        | "roundTripTime"
        | "currentRoundTripTime"
        | "jitterBufferDelay"
        | "jitterBufferTargetDelay"
        | "jitterBufferMinimumDelay" => "s",
        "framesPerSecond" => "frames/s",
        "frameWidth" | "frameHeight" | "width" | "height" => "px",
        "clockRate" => "Hz",
        "targetBitrate" | "availableOutgoingBitrate" | "availableIncomingBitrate" => "bits/s",
        "echoReturnLoss" | "echoReturnLossEnhancement" => "dB",
        "totalAudioEnergy" | "totalSamplesCount" | "totalSamplesReceived" | "totalCorruptionProbability" => "",
        "totalSquaredInterFrameDelay" => "s²",
        "lastPacketReceivedTimestamp" | "lastPacketSentTimestamp" | "remoteTimestamp" | "estimatedPlayoutTimestamp" => {
            "ms"
        }
        _ if member.starts_with("qualityLimitationDurations.") => "s",
        _ if member.starts_with("psnrSum.") => "dB",
        _ if member.contains("bytes") || member.contains("Bytes") => "bytes",
        _ if member.starts_with("total")
            && (member.ends_with("Time") || member.contains("Delay") || member.contains("Duration")) =>
        {
            "s"
        }
        _ if member.ends_with("Duration") => "s",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_that_accumulate_are_counters() {
        for member in [
            "bytesReceived",
            "packetsLost",
            "totalDecodeTime",
            "qualityLimitationDurations.cpu",
            "jitterBufferDelay",
            "framesSent",
        ] {
            assert_eq!(behaviour(member), Behaviour::Counter, "{member}");
        }
        for member in ["framesPerSecond", "frameWidth", "jitter", "audioLevel", "currentRoundTripTime", "targetBitrate"]
        {
            assert_eq!(behaviour(member), Behaviour::Gauge, "{member}");
        }
    }

    #[test]
    fn units_are_those_of_the_identifiers() {
        assert_eq!(unit("headerBytesSent"), "bytes");
        assert_eq!(unit("totalInterFrameDelay"), "s");
        assert_eq!(unit("totalSquaredInterFrameDelay"), "s²");
        assert_eq!(unit("totalSamplesDuration"), "s");
        assert_eq!(unit("packetsSent"), "");
    }
}
