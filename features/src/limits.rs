//! Every limit on what an extractor remembers. Input is hostile: each of these is reached only by a client that means
//! harm or has gone wrong, and what happens then is said here.

/// Connections of one session. Events of connections beyond it are only counted
/// ([`crate::FeatureExtractor::ignored_events`]).
pub const CONNECTIONS: usize = 512;

/// Bytes of a connection's id. Events of a connection with a longer id are only counted, since a shortened id could be
/// another connection's.
pub const CONNECTION_ID: usize = 256;

/// Bytes of a text feature (error messages, addresses, cipher names). A longer text keeps its beginning.
pub const TEXT: usize = 1024;

/// Bytes of a JSON feature (screen, window, ...). A longer one is absent: a part of it would not be JSON.
pub const JSON: usize = 4096;

/// Members of the client's `create` that have no column of their own. Further ones are left out.
pub const OTHER_MEMBERS: usize = 32;

/// Bytes of the name of such a member. One with a longer name is left out.
pub const OTHER_NAME: usize = 64;

/// Tracks read from one result of getUserMedia; a real one has two.
pub const TRACKS_PER_CALL: usize = 16;

/// Tracks of getUserMedia whose end is waited for. The oldest is forgotten first.
pub const USER_MEDIA_TRACKS: usize = 256;

/// Bytes of an identifier that is kept to be compared (track id, tracking id, candidate's address, stats id). What has
/// a longer one is not kept, and so never matches.
pub const IDENTIFIER: usize = 256;

/// Candidates with a location that one connection keeps for each side until its first report. Further ones are not kept.
pub const LOCATED_CANDIDATES: usize = 64;

/// Bytes of a continent's, country's or city's name. A longer one keeps its beginning.
pub const PLACE_NAME: usize = 128;

/// Candidate pairs of one connection that were selected at some time. Further ones do not count for the average round
/// trip time.
pub const SELECTED_PAIRS: usize = 256;

/// Tracks of one session, and tracks that were unmuted. Further ones have no features.
pub const TRACKS: usize = 4096;

/// RTP streams of one session that are followed. Tracks of further ones have no features of their reports.
pub const STREAMS: usize = 2048;

/// Bytes of a stream's member that is no number (its encoder, say, or what limited its quality). A longer one counts as absent.
pub const STREAM_MEMBER: usize = 512;

/// Different widths, and heights, of one stream's frames. Of further ones none can be the most common.
pub const FRAME_SIZES: usize = 256;

/// Stats ids of one session that are watched for truncation. Further ones are not watched.
pub const STATS_IDS: usize = 32_768;

/// Buckets of one metric's distribution. When there are more, neighbours are joined, and quantiles become less exact.
pub const BUCKETS: usize = 129;

/// Buckets of all distributions of one session. With none left, neighbours are joined where another would be needed.
pub const ALL_BUCKETS: usize = 1 << 20;

/// Changes of a connection's path that are listed. Further ones are only counted.
pub const PATH_CHANGES: usize = 32;

/// Participants of the conference, beside the client itself, of whom something is kept. Of further ones nothing counts but the newest round trip time.
pub const ENDPOINTS: usize = 256;

/// Entries of one session's reports that rules look at. Further ones give no findings.
pub const WATCHED: usize = 1024;

/// Media sections of one connection whose directions are known to rules. Further ones may do all.
pub const SECTIONS: usize = 256;

/// Episodes of one rule and track that are told: the longest. Further ones are only counted.
pub const EPISODES: usize = 3;

/// Bytes of a text in a finding (an error, a label). A longer one keeps its beginning.
pub const FINDING_TEXT: usize = 256;

/// Findings of one session: the worst.
pub const FINDINGS: usize = 512;

/// Simulcast layers of one track that are listed: the newest.
pub const LAYERS: usize = 16;
