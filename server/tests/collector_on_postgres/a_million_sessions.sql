-- A million sessions of thirty days, with a connection and a track each, as a fleet of mostly one browser has them.

CREATE TEMPORARY TABLE seeds AS
SELECT n,
  timestamptz '2026-11-01' + n * interval '2.592 seconds' AS start_time,
  (lpad(to_hex(1793491200000 + n * 2592), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid AS id,
  random() AS a, random() AS b, random() AS c
FROM generate_series(1::bigint, 1000000) n;

INSERT INTO sessions (id, source, dialect, state, start_time, end_time, duration, user_agent, browser_name, browser_version,
  browser_os, origin, url, connections, lines, dump_path, dump_bytes, close_code, "user", conference, country, city, outcome, critical_findings,
  warning_findings)
SELECT id, 'browser', 'rtctrace.v1', CASE WHEN n > 999000 THEN 'live' ELSE 'ended' END, start_time, start_time + interval '60 seconds', 60000,
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  CASE WHEN a < 0.8 THEN 'Chrome' WHEN a < 0.92 THEN 'Firefox' WHEN a < 0.999 THEN 'Safari' ELSE 'Opera' END, '140.0.0.0', 'Linux',
  'https://app.example.com', '/v1/ws?session=' || id || '&from=0', 1, 600, '2026/11/20/' || id || '.jsonl.gz', 60000, 1000,
  'user-' || n % 20000, 'room-' || n % 50000,
  CASE WHEN b < 0.5 THEN 'US' WHEN b < 0.98 THEN 'DE' WHEN b < 0.9999 THEN 'AT' ELSE 'IS' END, 'Somewhere',
  CASE WHEN n > 999000 THEN NULL WHEN c < 0.002 THEN 'failed' ELSE 'connected' END,
  CASE WHEN n <= 999000 THEN (c < 0.002)::int END, CASE WHEN n <= 999000 THEN (b > 0.93)::int END
FROM seeds;

INSERT INTO features_connection (session_id, connection_id, position, connected, ice_connected, connection_time, ice_connection_time, dtls_role,
  dtls_version, srtp_cipher, duration, first_candidate_pair_local_type, first_candidate_pair_remote_type, average_stun_round_trip_time,
  number_of_events, start_time)
SELECT id, 'PC_0', 0, c >= 0.002, c >= 0.002, 100, (power(a, 20) * 4000)::bigint, 'client', 'FEFD', 'AEAD_AES_128_GCM', 60000, 'host', 'host', b, 600,
  start_time
FROM seeds WHERE n <= 999000;

INSERT INTO features_track (session_id, connection_id, position, kind, direction, track_identifier, start_time, duration, codec_mime_type, frame_count,
  freeze_count, total_freezes_duration)
SELECT id, 'PC_0', 0, 'video', 'inbound', id::text, start_time, 60000, 'video/VP8', 1800, (power(b, 30) * 6)::bigint, b
FROM seeds WHERE n <= 999000;

INSERT INTO findings (session_id, position, rule, severity, connection_id, begin_time, end_time, sentence, measured)
SELECT id, position, rule, severity, 'PC_0', start_time, start_time, 'A sentence about what was wrong', '{}'
FROM seeds, LATERAL (VALUES (0, 'ice-failed', 'critical', c < 0.002), (1, 'packet-loss', 'warning', b > 0.93), (2, 'page-hidden', 'notice', a > 0.5))
  AS found (position, rule, severity, is_there)
WHERE n <= 999000 AND is_there;

ANALYZE sessions, features_connection, features_track, findings;
