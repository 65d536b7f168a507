//! The tables and views that are no features and no entries: what each column of theirs says, and how it comes about. The database is tested against
//! this list.

/// A table, or a view.
pub(super) struct Relation {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) columns: &'static [Column],
}

/// A column.
pub(super) struct Column {
    pub(super) name: &'static str,
    /// As PostgreSQL calls it.
    pub(super) kind: &'static str,
    pub(super) unit: &'static str,
    pub(super) about: &'static str,
    pub(super) formula: &'static str,
    pub(super) source: &'static str,
}

const fn column(name: &'static str, kind: &'static str, unit: &'static str, texts: [&'static str; 3]) -> Column {
    let [about, formula, source] = texts;
    Column { name, kind, unit, about, formula, source }
}

/// The columns of what sums up the rows of one entry by minutes: its own between those that all of them have.
macro_rules! by_minutes {
    ($table:literal; $($column:expr),* $(,)?) => {
        &[
            column("bucket", "timestamptz", "", ["The minute: its beginning.", "time by the minute", concat!($table, ".time")]),
            column("session_id", "uuid", "", ["The session.", "as it is", concat!($table, ".session_id")]),
            column("connection_id", "text", "", ["The connection.", "as it is", concat!($table, ".connection_id")]),
            column("stats_id", "text", "", ["The entry.", "as it is", concat!($table, ".stats_id")]),
            $($column,)*
            column("seconds", "numeric", "s", ["How long the counters ran.", "largest - smallest, + before.seconds", concat!($table, ".time, before")]),
            column("rows", "bigint", "1", ["Rows of the entry in this minute.", "how many", $table]),
        ]
    };
}

/// In both databases.
pub(super) const TABLES: &[Relation] = &[
    Relation {
        name: "sessions",
        about: "One row per session, from its first line on; what only its end brings is NULL until then.",
        columns: SESSIONS,
    },
    Relation {
        name: "sora_connections",
        about: "One row per session and connection of the SFU Sora that it is about: Sora's own, and those of pages whose application named it.",
        columns: SORA_CONNECTIONS,
    },
];

/// Over PostgreSQL, after those that they are made of.
pub(super) const VIEWS: &[Relation] = &[
    Relation {
        name: "inbound_rtp_minute",
        about: "One row per minute and stream that is received.",
        columns: INBOUND_RTP_MINUTE,
    },
    Relation {
        name: "outbound_rtp_minute",
        about: "One row per minute and stream that is sent.",
        columns: OUTBOUND_RTP_MINUTE,
    },
    Relation {
        name: "candidate_pair_minute",
        about: "One row per minute and candidate pair.",
        columns: CANDIDATE_PAIR_MINUTE,
    },
    Relation {
        name: "fleet_inbound_minute",
        about: "One row per minute and kind of media: all streams that are received.",
        columns: FLEET_INBOUND_MINUTE,
    },
    Relation {
        name: "fleet_outbound_minute",
        about: "One row per minute and kind of media: all streams that are sent.",
        columns: FLEET_OUTBOUND_MINUTE,
    },
    Relation {
        name: "fleet_network_minute",
        about: "One row per minute: all candidate pairs.",
        columns: FLEET_NETWORK_MINUTE,
    },
];

const SESSIONS: &[Column] = &[
    column(
        "id",
        "uuid",
        "",
        [
            "The session's id.",
            "the client's, or made by the collector where that has none",
            "the request of its socket, or its dump",
        ],
    ),
    column(
        "source",
        "text",
        "",
        [
            "Where it came from: `browser`, `sora` for a connection of Sora's, `sora-node` for one of its nodes.",
            "by who told of it",
            "the request",
        ],
    ),
    column(
        "dialect",
        "text",
        "",
        [
            "What its client spoke: `rtctrace.v1`, `rtcstats#5.0`, `3.1_STANDARD`, `sora` and others.",
            "by subprotocol and path",
            "the request of its socket, or the upload",
        ],
    ),
    column(
        "state",
        "text",
        "",
        ["`live`, or `ended` once it is over and stored.", "ended when its dump is stored", "the collector"],
    ),
    column(
        "start_time",
        "timestamptz",
        "ms since 1970",
        [
            "When it began.",
            "the collector's clock; of what is imported, what a dump's header or the first line says",
            "its first line",
        ],
    ),
    column("end_time", "timestamptz", "ms since 1970", ["When it ended.", "the collector's clock", "its end"]),
    column(
        "duration",
        "bigint",
        "ms",
        ["From its first event to its last.", "time of the last - time of the first", "events"],
    ),
    column("user_agent", "text", "", ["What the browser calls itself.", "as it is", "the User-Agent header"]),
    column(
        "browser_name",
        "text",
        "",
        ["The browser: `Chrome`, `Firefox`, `Safari`.", "recognised in the text", "the User-Agent header"],
    ),
    column(
        "browser_version",
        "text",
        "",
        ["The browser's version.", "recognised in the text", "the User-Agent header"],
    ),
    column(
        "browser_os",
        "text",
        "",
        ["The system that the browser runs on.", "recognised in the text", "the User-Agent header"],
    ),
    column("origin", "text", "", ["The page's origin.", "as it is", "the Origin header"]),
    column(
        "url",
        "text",
        "",
        ["The path that the client asked for.", "as it is, tokens apart", "the request of its socket"],
    ),
    column("connections", "bigint", "1", ["How many connections it has.", "how many", "connections that events name"]),
    column("lines", "bigint", "1", ["How many lines it has.", "how many", "lines of the dump"]),
    column(
        "dump_path",
        "text",
        "",
        ["Where its dump lies in object storage.", "the day of its beginning and its id", "its end"],
    ),
    column("dump_bytes", "bigint", "byte", ["How large its stored dump is.", "length after compression", "its end"]),
    column(
        "close_code",
        "bigint",
        "",
        ["The close code of its last socket.", "as it is", "the Close frame of its last socket"],
    ),
    column(
        "user",
        "text",
        "",
        [
            "Whose session it is.",
            "the claim; of a connection of Sora's, its client_id",
            "the client's token; Sora's push",
        ],
    ),
    column(
        "conference",
        "text",
        "",
        [
            "Which conference it belongs to.",
            "the claim; of a connection of Sora's, its channel_id",
            "the client's token; Sora's push",
        ],
    ),
    column(
        "country",
        "text",
        "",
        [
            "The ISO 3166-1 code of the client's country.",
            "looked up, if there is a database of places",
            "the client's address",
        ],
    ),
    column(
        "city",
        "text",
        "",
        ["The client's city.", "looked up, if there is a database of places", "the client's address"],
    ),
    column(
        "outcome",
        "text",
        "",
        [
            "What became of its connections: `connected`, `failed` or `none`.",
            "connected if any was, none if there was no connection, else failed",
            "connected of features_connection",
        ],
    ),
    column(
        "collector",
        "text",
        "",
        [
            "Which collector holds it; of one that is over: who held it when others gave it up, none if it had its end.",
            "its id in `collectors`",
            "the collector",
        ],
    ),
    column(
        "sora_connection_id",
        "text",
        "",
        [
            "Sora's id of the connection; NULL in a session of a node.",
            "as it is",
            "connection_id of Sora's first push or webhook",
        ],
    ),
    column(
        "sora_session_id",
        "text",
        "",
        [
            "The session of its channel, from the channel's first connection to its last.",
            "as it is",
            "session_id of it",
        ],
    ),
    column(
        "sora_bundle_id",
        "text",
        "",
        ["What connections have in common that belong together.", "as it is", "bundle_id of it"],
    ),
    column("sora_role", "text", "", ["`sendrecv`, `sendonly` or `recvonly`.", "as it is", "role of it"]),
    column(
        "sora_multistream",
        "boolean",
        "",
        ["Whether it is of multistream, in versions that tell.", "as it is", "multistream of it"],
    ),
    column("sora_simulcast", "boolean", "", ["Whether it sends simulcast.", "as it is", "simulcast of it"]),
    column("sora_spotlight", "boolean", "", ["Whether its channel is a spotlight.", "as it is", "spotlight of it"]),
    column("sora_node", "text", "", ["The node of the cluster.", "as it is", "node_name of it"]),
    column("sora_version", "text", "", ["Sora's version.", "as it is", "version of it"]),
    column("sora_label", "text", "", ["What its operator calls it.", "as it is", "label of it"]),
    column(
        "critical_findings",
        "bigint",
        "1",
        [
            "Its critical findings; NULL of one that ended before there were any.",
            "how many at its last end",
            "findings",
        ],
    ),
    column(
        "warning_findings",
        "bigint",
        "1",
        ["Its findings that are warnings.", "how many at its last end", "findings"],
    ),
];

const SORA_CONNECTIONS: &[Column] = &[
    column(
        "connection_id",
        "text",
        "",
        ["Sora's id of the connection.", "as it is", "what Sora sends, or the page's application"],
    ),
    column("session_id", "uuid", "", ["The session.", "as it is", "`sessions`"]),
];

const INBOUND_RTP_MINUTE: &[Column] = by_minutes!("stats_inbound_rtp";
    column("kind", "text", "", ["`audio` or `video`.", "as it is", "stats_inbound_rtp.kind"]),
    column(
        "packets_received",
        "bigint",
        "1",
        ["Packets received by the end of the minute.", "largest", "stats_inbound_rtp.packets_received"],
    ),
    column(
        "packets_lost",
        "bigint",
        "1",
        ["Packets lost by the end of the minute.", "last by time", "stats_inbound_rtp.packets_lost"],
    ),
    column(
        "bytes_received",
        "bigint",
        "byte",
        ["Bytes received by the end of the minute.", "largest", "stats_inbound_rtp.bytes_received"],
    ),
    column(
        "packets_received_gain",
        "bigint",
        "1",
        ["Packets received in the minute.", "largest - smallest, or what it was before", "stats_inbound_rtp.packets_received"],
    ),
    column(
        "packets_lost_gain",
        "bigint",
        "1",
        ["Packets lost in the minute.", "last by time - first by time, or what it was before; not below 0", "stats_inbound_rtp.packets_lost"],
    ),
    column(
        "bytes_received_gain",
        "bigint",
        "byte",
        ["Bytes received in the minute.", "largest - smallest, or what it was before", "stats_inbound_rtp.bytes_received"],
    ),
    column(
        "jitter_buffer_delay_gain",
        "double precision",
        "s",
        [
            "What the samples or frames of the minute waited in the jitter buffer, together.",
            "largest - smallest, or what it was before",
            "stats_inbound_rtp.jitter_buffer_delay",
        ],
    ),
    column(
        "jitter_buffer_emitted_count_gain",
        "bigint",
        "1",
        [
            "Samples or frames that left the jitter buffer in the minute.",
            "largest - smallest, or what it was before",
            "stats_inbound_rtp.jitter_buffer_emitted_count",
        ],
    ),
    column(
        "concealed_samples_gain",
        "bigint",
        "1",
        ["Samples concealed in the minute.", "largest - smallest, or what it was before", "stats_inbound_rtp.concealed_samples"],
    ),
    column(
        "total_samples_received_gain",
        "bigint",
        "1",
        ["Samples received in the minute.", "largest - smallest, or what it was before", "stats_inbound_rtp.total_samples_received"],
    ),
    column(
        "total_freezes_duration_gain",
        "double precision",
        "s",
        [
            "How long the video was frozen in the minute.",
            "largest - smallest, or what it was before",
            "stats_inbound_rtp.total_freezes_duration",
        ],
    ),
    column("average_jitter", "double precision", "s", ["Jitter.", "mean", "stats_inbound_rtp.jitter"]),
    column("max_jitter", "double precision", "s", ["The largest jitter.", "largest", "stats_inbound_rtp.jitter"]),
    column(
        "average_frames_per_second",
        "double precision",
        "1/s",
        ["Frame rate.", "mean", "stats_inbound_rtp.frames_per_second"],
    ),
    column(
        "min_frames_per_second",
        "double precision",
        "1/s",
        ["The lowest frame rate.", "smallest", "stats_inbound_rtp.frames_per_second"],
    ),
    column(
        "max_frame_height",
        "bigint",
        "px",
        ["The largest height of a frame.", "largest", "stats_inbound_rtp.frame_height"],
    ),
);

const OUTBOUND_RTP_MINUTE: &[Column] = by_minutes!("stats_outbound_rtp";
    column("kind", "text", "", ["`audio` or `video`.", "as it is", "stats_outbound_rtp.kind"]),
    column(
        "packets_sent",
        "bigint",
        "1",
        ["Packets sent by the end of the minute.", "largest", "stats_outbound_rtp.packets_sent"],
    ),
    column(
        "bytes_sent",
        "bigint",
        "byte",
        ["Bytes sent by the end of the minute.", "largest", "stats_outbound_rtp.bytes_sent"],
    ),
    column(
        "packets_sent_gain",
        "bigint",
        "1",
        ["Packets sent in the minute.", "largest - smallest, or what it was before", "stats_outbound_rtp.packets_sent"],
    ),
    column(
        "bytes_sent_gain",
        "bigint",
        "byte",
        ["Bytes sent in the minute.", "largest - smallest, or what it was before", "stats_outbound_rtp.bytes_sent"],
    ),
    column(
        "retransmitted_packets_sent_gain",
        "bigint",
        "1",
        ["Packets sent again in the minute.", "largest - smallest, or what it was before", "stats_outbound_rtp.retransmitted_packets_sent"],
    ),
    column(
        "nack_count_gain",
        "bigint",
        "1",
        ["NACKs received in the minute.", "largest - smallest, or what it was before", "stats_outbound_rtp.nack_count"],
    ),
    column(
        "pli_count_gain",
        "bigint",
        "1",
        ["PLIs received in the minute.", "largest - smallest, or what it was before", "stats_outbound_rtp.pli_count"],
    ),
    column(
        "average_target_bitrate",
        "double precision",
        "bit/s",
        ["What the encoder aims at.", "mean", "stats_outbound_rtp.target_bitrate"],
    ),
    column(
        "average_frames_per_second",
        "double precision",
        "1/s",
        ["Frame rate.", "mean", "stats_outbound_rtp.frames_per_second"],
    ),
    column(
        "min_frames_per_second",
        "double precision",
        "1/s",
        ["The lowest frame rate.", "smallest", "stats_outbound_rtp.frames_per_second"],
    ),
    column(
        "max_frame_height",
        "bigint",
        "px",
        ["The largest height of a frame.", "largest", "stats_outbound_rtp.frame_height"],
    ),
);

const CANDIDATE_PAIR_MINUTE: &[Column] = by_minutes!("stats_candidate_pair";
    column(
        "bytes_sent",
        "bigint",
        "byte",
        ["Bytes sent by the end of the minute.", "largest", "stats_candidate_pair.bytes_sent"],
    ),
    column(
        "bytes_received",
        "bigint",
        "byte",
        ["Bytes received by the end of the minute.", "largest", "stats_candidate_pair.bytes_received"],
    ),
    column(
        "bytes_sent_gain",
        "bigint",
        "byte",
        ["Bytes sent in the minute.", "largest - smallest, or what it was before", "stats_candidate_pair.bytes_sent"],
    ),
    column(
        "bytes_received_gain",
        "bigint",
        "byte",
        ["Bytes received in the minute.", "largest - smallest, or what it was before", "stats_candidate_pair.bytes_received"],
    ),
    column(
        "average_round_trip_time",
        "double precision",
        "s",
        ["Round trip time.", "mean", "stats_candidate_pair.current_round_trip_time"],
    ),
    column(
        "max_round_trip_time",
        "double precision",
        "s",
        ["The largest round trip time.", "largest", "stats_candidate_pair.current_round_trip_time"],
    ),
    column(
        "average_available_outgoing_bitrate",
        "double precision",
        "bit/s",
        ["The bit rate that is there for sending.", "mean", "stats_candidate_pair.available_outgoing_bitrate"],
    ),
    column(
        "min_available_outgoing_bitrate",
        "double precision",
        "bit/s",
        [
            "The lowest bit rate that was there for sending.",
            "smallest",
            "stats_candidate_pair.available_outgoing_bitrate",
        ],
    ),
);

const FLEET_INBOUND_MINUTE: &[Column] = &[
    column("bucket", "timestamptz", "", ["The minute: its beginning.", "as it is", "inbound_rtp_minute.bucket"]),
    column("kind", "text", "", ["`audio` or `video`.", "as it is", "inbound_rtp_minute.kind"]),
    column(
        "packets_received",
        "numeric",
        "1",
        ["Packets received.", "sum", "inbound_rtp_minute.packets_received_gain"],
    ),
    column("packets_lost", "numeric", "1", ["Packets lost.", "sum", "inbound_rtp_minute.packets_lost_gain"]),
    column("bytes_received", "numeric", "byte", ["Bytes received.", "sum", "inbound_rtp_minute.bytes_received_gain"]),
    column(
        "concealed_samples",
        "numeric",
        "1",
        ["Samples concealed.", "sum", "inbound_rtp_minute.concealed_samples_gain"],
    ),
    column(
        "total_samples_received",
        "numeric",
        "1",
        ["Samples received.", "sum", "inbound_rtp_minute.total_samples_received_gain"],
    ),
    column(
        "total_freezes_duration",
        "double precision",
        "s",
        ["How long videos were frozen.", "sum", "inbound_rtp_minute.total_freezes_duration_gain"],
    ),
    column(
        "jitter_buffer_delay",
        "double precision",
        "s",
        ["What samples or frames waited in jitter buffers.", "sum", "inbound_rtp_minute.jitter_buffer_delay_gain"],
    ),
    column(
        "jitter_buffer_emitted_count",
        "numeric",
        "1",
        ["Samples or frames that left jitter buffers.", "sum", "inbound_rtp_minute.jitter_buffer_emitted_count_gain"],
    ),
    column(
        "average_jitter",
        "double precision",
        "s",
        ["Jitter.", "mean of the rows, each alike", "inbound_rtp_minute.average_jitter"],
    ),
    column(
        "average_frames_per_second",
        "double precision",
        "1/s",
        ["Frame rate.", "mean of the rows, each alike", "inbound_rtp_minute.average_frames_per_second"],
    ),
    column("seconds", "numeric", "s", ["How long counters ran.", "sum", "inbound_rtp_minute.seconds"]),
    column("streams", "bigint", "1", ["Streams.", "how many", "inbound_rtp_minute"]),
];

const FLEET_OUTBOUND_MINUTE: &[Column] = &[
    column("bucket", "timestamptz", "", ["The minute: its beginning.", "as it is", "outbound_rtp_minute.bucket"]),
    column("kind", "text", "", ["`audio` or `video`.", "as it is", "outbound_rtp_minute.kind"]),
    column("packets_sent", "numeric", "1", ["Packets sent.", "sum", "outbound_rtp_minute.packets_sent_gain"]),
    column("bytes_sent", "numeric", "byte", ["Bytes sent.", "sum", "outbound_rtp_minute.bytes_sent_gain"]),
    column(
        "retransmitted_packets_sent",
        "numeric",
        "1",
        ["Packets sent again.", "sum", "outbound_rtp_minute.retransmitted_packets_sent_gain"],
    ),
    column(
        "average_target_bitrate",
        "double precision",
        "bit/s",
        ["What encoders aim at.", "mean of the rows, each alike", "outbound_rtp_minute.average_target_bitrate"],
    ),
    column(
        "average_frames_per_second",
        "double precision",
        "1/s",
        ["Frame rate.", "mean of the rows, each alike", "outbound_rtp_minute.average_frames_per_second"],
    ),
    column("seconds", "numeric", "s", ["How long counters ran.", "sum", "outbound_rtp_minute.seconds"]),
    column("streams", "bigint", "1", ["Streams.", "how many", "outbound_rtp_minute"]),
];

const FLEET_NETWORK_MINUTE: &[Column] = &[
    column("bucket", "timestamptz", "", ["The minute: its beginning.", "as it is", "candidate_pair_minute.bucket"]),
    column("bytes_sent", "numeric", "byte", ["Bytes sent.", "sum", "candidate_pair_minute.bytes_sent_gain"]),
    column(
        "bytes_received",
        "numeric",
        "byte",
        ["Bytes received.", "sum", "candidate_pair_minute.bytes_received_gain"],
    ),
    column(
        "average_round_trip_time",
        "double precision",
        "s",
        ["Round trip time.", "mean of the rows, each alike", "candidate_pair_minute.average_round_trip_time"],
    ),
    column(
        "max_round_trip_time",
        "double precision",
        "s",
        ["The largest round trip time.", "largest", "candidate_pair_minute.max_round_trip_time"],
    ),
    column(
        "average_available_outgoing_bitrate",
        "double precision",
        "bit/s",
        [
            "The bit rate that is there for sending.",
            "mean of the rows, each alike",
            "candidate_pair_minute.average_available_outgoing_bitrate",
        ],
    ),
    column(
        "pairs",
        "bigint",
        "1",
        [
            "Candidate pairs that have a round trip time.",
            "how many have one",
            "candidate_pair_minute.average_round_trip_time",
        ],
    ),
];
