//! Units of the members that have a column, by their names: a name, or a path, has one unit, whatever the entry.

use super::Kind;

/// The unit of a member, as W3C's identifiers, Sora and Erlang give it; empty for what is no quantity.
pub(super) fn unit(member: &str, kind: Kind) -> &'static str {
    let ends = |ends: &[&str]| ends.iter().any(|end| member.ends_with(end));
    let begins = |begins: &[&str]| begins.iter().any(|begin| member.starts_with(begin));
    match (member, kind) {
        (_, Kind::Text | Kind::Bool | Kind::Json) => "",
        ("ssrc" | "rtxSsrc" | "fecSsrc" | "payloadType" | "encodingIndex" | "dataChannelIdentifier", _) => "",
        ("port" | "relatedPort" | "priority" | "network_status.unstable_level", _) => "",
        ("totalEncodedBytesTarget", _) => "byte",
        ("framesPerSecond", _) => "1/s",
        ("clockRate", _) => "Hz",
        ("totalSquaredInterFrameDelay", _) => "s²",
        ("totalAudioEnergy", _) => "s",
        ("audioLevel" | "fractionLost", _) => "0..1",
        ("echoReturnLoss" | "echoReturnLossEnhancement", _) => "dB",
        ("statistics.garbage_collection.words_reclaimed", _) => "word",
        ("statistics.runtime.total_run_time" | "statistics.wall_clock.total_wallclock_time", _) => "ms",
        _ if begins(&["memory.", "statistics.io."]) || ends(&["_bytes", "_byte_size"]) => "byte",
        _ if ends(&["itrate"]) => "bit/s",
        _ if ends(&["Timestamp"]) => "ms",
        _ if begins(&["bytes", "headerBytes", "retransmittedBytes", "fecBytes"]) || member.ends_with("Bytes") => "byte",
        _ if ends(&["idth", "eight"]) => "px",
        _ if ends(&["Duration", "Time", "Delay", "jitter", "RtcpInterval"]) => "s",
        _ => "1",
    }
}
