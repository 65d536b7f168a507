-- The other kinds of stats entries; `stats_other` is for those that W3C does not know.

CREATE TABLE stats_remote_inbound_rtp (
  time REAL NOT NULL,
  session_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  stats_id TEXT NOT NULL,
  ssrc INTEGER,
  kind TEXT,
  transport_id TEXT,
  codec_id TEXT,
  packets_received INTEGER,
  packets_received_with_ect1 INTEGER,
  packets_received_with_ce INTEGER,
  packets_reported_as_lost INTEGER,
  packets_reported_as_lost_but_recovered INTEGER,
  packets_lost INTEGER,
  jitter REAL,
  local_id TEXT,
  round_trip_time REAL,
  total_round_trip_time REAL,
  fraction_lost REAL,
  round_trip_time_measurements INTEGER,
  packets_with_bleached_ect1_marking INTEGER,
  -- Members without a column, a JSON object.
  extra TEXT,
  PRIMARY KEY (session_id, connection_id, stats_id, time)
) STRICT, WITHOUT ROWID;

CREATE TABLE stats_remote_outbound_rtp (
  time REAL NOT NULL,
  session_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  stats_id TEXT NOT NULL,
  ssrc INTEGER,
  kind TEXT,
  transport_id TEXT,
  codec_id TEXT,
  packets_sent INTEGER,
  bytes_sent INTEGER,
  local_id TEXT,
  remote_timestamp REAL,
  reports_sent INTEGER,
  round_trip_time REAL,
  total_round_trip_time REAL,
  round_trip_time_measurements INTEGER,
  -- Members without a column, a JSON object.
  extra TEXT,
  PRIMARY KEY (session_id, connection_id, stats_id, time)
) STRICT, WITHOUT ROWID;

CREATE TABLE stats_media_source (
  time REAL NOT NULL,
  session_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  stats_id TEXT NOT NULL,
  track_identifier TEXT,
  kind TEXT,
  audio_level REAL,
  total_audio_energy REAL,
  total_samples_duration REAL,
  echo_return_loss REAL,
  echo_return_loss_enhancement REAL,
  width INTEGER,
  height INTEGER,
  frames INTEGER,
  frames_per_second REAL,
  -- Members without a column, a JSON object.
  extra TEXT,
  PRIMARY KEY (session_id, connection_id, stats_id, time)
) STRICT, WITHOUT ROWID;

CREATE TABLE stats_ice_candidate (
  time REAL NOT NULL,
  session_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  stats_id TEXT NOT NULL,
  type TEXT,
  transport_id TEXT,
  address TEXT,
  port INTEGER,
  protocol TEXT,
  candidate_type TEXT,
  priority INTEGER,
  url TEXT,
  relay_protocol TEXT,
  foundation TEXT,
  related_address TEXT,
  related_port INTEGER,
  username_fragment TEXT,
  tcp_type TEXT,
  -- Members without a column, a JSON object.
  extra TEXT,
  PRIMARY KEY (session_id, connection_id, stats_id, time)
) STRICT, WITHOUT ROWID;

CREATE TABLE stats_codec (
  time REAL NOT NULL,
  session_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  stats_id TEXT NOT NULL,
  payload_type INTEGER,
  transport_id TEXT,
  mime_type TEXT,
  clock_rate INTEGER,
  channels INTEGER,
  sdp_fmtp_line TEXT,
  -- Members without a column, a JSON object.
  extra TEXT,
  PRIMARY KEY (session_id, connection_id, stats_id, time)
) STRICT, WITHOUT ROWID;

CREATE TABLE stats_transport (
  time REAL NOT NULL,
  session_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  stats_id TEXT NOT NULL,
  packets_sent INTEGER,
  packets_received INTEGER,
  bytes_sent INTEGER,
  bytes_received INTEGER,
  ice_role TEXT,
  ice_local_username_fragment TEXT,
  dtls_state TEXT,
  ice_state TEXT,
  selected_candidate_pair_id TEXT,
  local_certificate_id TEXT,
  remote_certificate_id TEXT,
  tls_version TEXT,
  dtls_cipher TEXT,
  dtls_role TEXT,
  srtp_cipher TEXT,
  selected_candidate_pair_changes INTEGER,
  ccfb_messages_sent INTEGER,
  ccfb_messages_received INTEGER,
  -- Members without a column, a JSON object.
  extra TEXT,
  PRIMARY KEY (session_id, connection_id, stats_id, time)
) STRICT, WITHOUT ROWID;

CREATE TABLE stats_media_playout (
  time REAL NOT NULL,
  session_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  stats_id TEXT NOT NULL,
  kind TEXT,
  synthesized_samples_duration REAL,
  synthesized_samples_events INTEGER,
  total_samples_duration REAL,
  total_playout_delay REAL,
  total_samples_count INTEGER,
  -- Members without a column, a JSON object.
  extra TEXT,
  PRIMARY KEY (session_id, connection_id, stats_id, time)
) STRICT, WITHOUT ROWID;

CREATE TABLE stats_data_channel (
  time REAL NOT NULL,
  session_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  stats_id TEXT NOT NULL,
  label TEXT,
  protocol TEXT,
  data_channel_identifier INTEGER,
  state TEXT,
  messages_sent INTEGER,
  bytes_sent INTEGER,
  messages_received INTEGER,
  bytes_received INTEGER,
  -- Members without a column, a JSON object.
  extra TEXT,
  PRIMARY KEY (session_id, connection_id, stats_id, time)
) STRICT, WITHOUT ROWID;

CREATE TABLE stats_peer_connection (
  time REAL NOT NULL,
  session_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  stats_id TEXT NOT NULL,
  data_channels_opened INTEGER,
  data_channels_closed INTEGER,
  -- Members without a column, a JSON object.
  extra TEXT,
  PRIMARY KEY (session_id, connection_id, stats_id, time)
) STRICT, WITHOUT ROWID;

CREATE TABLE stats_other (
  time REAL NOT NULL,
  session_id TEXT NOT NULL,
  connection_id TEXT NOT NULL,
  stats_id TEXT NOT NULL,
  type TEXT,
  -- Members without a column, a JSON object.
  extra TEXT,
  PRIMARY KEY (session_id, connection_id, stats_id, time)
) STRICT, WITHOUT ROWID;
