-- A fleet for tests of dashboards: 200 sessions of 7 days, of which 25 do not connect and two still run, with their features and their stats
-- at steps of 10 seconds. It ends at `SET seed.until = '2026-03-09T12:00:00Z'`, or now. Whatever looks random is a hash: two seeds are equal.

CREATE FUNCTION pg_temp.chance(what text, n bigint) RETURNS double precision LANGUAGE sql IMMUTABLE AS
  $$ SELECT ('x' || left(md5(what || ' ' || n), 8))::bit(32)::bigint / 4294967296.0 $$;

-- One of several, by their cumulative shares.
CREATE FUNCTION pg_temp.pick(chance double precision, shares double precision[], names text[]) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT names[1 + (SELECT count(*) FROM unnest(shares) AS share WHERE share <= chance)] $$;

CREATE TEMP TABLE seed_session AS
WITH fleet AS (
  SELECT n, coalesce(nullif(current_setting('seed.until', true), '')::timestamptz, now()) AS fleet_end, n >= 198 AS is_live,
    120 + 10 * floor(48 * pg_temp.chance('duration', n))::bigint AS seconds,
    pg_temp.pick(pg_temp.chance('browser', n), '{0.45, 0.65, 0.85, 0.96}', '{Chrome, Firefox, Safari, Edge, NULL}') AS browser,
    pg_temp.pick(pg_temp.chance('os', n), '{0.4, 0.65, 0.8, 0.9}', '{Windows, macOS, Android, iOS, Linux}') AS os,
    pg_temp.pick(pg_temp.chance('country', n), '{0.3, 0.55, 0.75, 0.87, 0.96}', '{DE, US, JP, BR, IN, NULL}') AS country,
    pg_temp.pick(pg_temp.chance('path', n), '{0.3, 0.6, 0.66, 0.82, 0.9}', '{host, srflx, prflx, relay/udp, relay/tcp, relay/tls}') AS path,
    -- Why it does not connect.
    CASE WHEN n % 8 = 5 THEN (ARRAY['ice', 'dtls', 'description', 'answer', 'left'])[1 + n / 8 % 5] END AS failure,
    n % 40 = 7 AS is_without_connection
  FROM generate_series(0, 199) AS n
), timed AS (
  SELECT *, CASE WHEN is_live THEN fleet_end - INTERVAL '10 minutes' - n * INTERVAL '1 second'
    ELSE fleet_end - (200 - n) * INTERVAL '7 days' / 200 + pg_temp.chance('start', n) * INTERVAL '20 minutes' END AS start_time
  FROM fleet
)
SELECT timed.*,
  -- A UUIDv7 of its time.
  (lpad(to_hex((extract(epoch FROM start_time) * 1000)::bigint), 12, '0') || '7' || substr(md5('a' || n), 1, 3) || '8' || substr(md5('b' || n), 1, 15))::uuid AS id,
  start_time + seconds * INTERVAL '1 second' AS end_time,
  CASE country WHEN 'DE' THEN 0.02 WHEN 'US' THEN 0.09 WHEN 'JP' THEN 0.15 ELSE 0.11 END
    + CASE WHEN path LIKE 'relay%' THEN 0.03 ELSE 0 END + 0.03 * pg_temp.chance('rtt', n) AS rtt,
  CASE WHEN path IN ('relay/tcp', 'relay/tls') THEN 0.004 ELSE 0.001 END + 0.06 * pg_temp.chance('loss', n) ^ 6 AS loss,
  0.002 + 0.02 * pg_temp.chance('jitter', n) ^ 3 AS jitter
FROM timed;
UPDATE seed_session SET browser = nullif(browser, 'NULL'), country = nullif(country, 'NULL');

INSERT INTO sessions (id, source, dialect, state, start_time, end_time, duration, user_agent, browser_name, browser_version, browser_os, origin, url,
  connections, lines, dump_path, dump_bytes, close_code, "user", conference, country, city)
SELECT id, 'browser', CASE WHEN n % 10 = 3 THEN 'rtcstats#5.0' ELSE 'rtctrace.v1' END, CASE WHEN is_live THEN 'live' ELSE 'ended' END, start_time,
  CASE WHEN NOT is_live THEN end_time END, CASE WHEN NOT is_live THEN seconds * 1000 END, 'Mozilla/5.0 (seed)', browser, CASE WHEN browser IS NOT NULL THEN '140' END,
  os, 'https://app.example.com', '/v1/ws', CASE WHEN is_without_connection THEN 0 WHEN n % 3 = 0 THEN 2 ELSE 1 END, seconds,
  CASE WHEN NOT is_live THEN 'seed/' || id || '.jsonl.gz' END, CASE WHEN NOT is_live THEN seconds * 900 END, CASE WHEN NOT is_live THEN 1000 END,
  'user' || n % 60, 'room' || n / 3, country, CASE country WHEN 'DE' THEN 'Berlin' WHEN 'JP' THEN 'Tokyo' END
FROM seed_session;

-- Some are what the SFU Sora told of its clients.
UPDATE sessions SET source = 'sora', dialect = 'sora', origin = NULL, url = '/collector', sora_session_id = 'SESSION' || seed.n / 3,
  sora_role = (ARRAY['sendrecv', 'sendonly', 'recvonly'])[1 + seed.n % 3], sora_node = 'sora@10.0.0.' || 1 + seed.n / 10 % 2
FROM seed_session seed WHERE seed.id = sessions.id AND seed.n % 10 = 4;

INSERT INTO features_client (session_id, hardware_concurrency, device_memory, reload_count, start_time, duration, operating_system, enumerate_devices_count,
  called_get_user_media, called_get_user_media_audio, called_get_user_media_video, get_user_media_error, get_user_media_error_count,
  get_user_media_success_count, get_user_media_delay, web_socket_connection_time)
SELECT id, 8, 8, n % 3, start_time, seconds * 1000, os, 1, true, true, true,
  CASE WHEN is_without_connection THEN CASE WHEN n % 80 = 7 THEN 'NotAllowedError: Permission denied' ELSE 'NotFoundError: Requested device not found' END END,
  is_without_connection::int, (NOT is_without_connection)::int, CASE WHEN NOT is_without_connection THEN 200 + n END, 80
FROM seed_session WHERE NOT is_live;

CREATE TEMP TABLE seed_connection AS
SELECT n, id, 'PC_' || position AS connection_id, position, is_live, failure, path, rtt, loss, jitter,
  start_time + position * INTERVAL '5 seconds' AS start_time, seconds - 10 * position AS seconds,
  -- What the set-up took, in ms.
  50 + 120 * pg_temp.chance('signaling', n) + 1000 * rtt AS signaling, 40 + 3000 * rtt + CASE WHEN path LIKE 'relay%' THEN 150 ELSE 0 END AS ice,
  20 + 2000 * rtt AS dtls, 30 + 200 * pg_temp.chance('media', n) AS media
FROM seed_session, generate_series(0, 1) AS position
WHERE NOT is_without_connection AND (position = 0 OR n % 3 = 0);

INSERT INTO features_connection (session_id, connection_id, position, set_remote_description_failure, connected, connection_time, dtls_role, dtls_version, srtp_cipher,
  closed, duration, ice_connected, ice_connection_time, ice_restart, configured_ice_servers, configured_ice_servers_turn_udp, added_host_candidate, gathered_host_candidate,
  gathered_srflx_candidate, gathered_turn_candidate, first_candidate_pair_local_network_type, first_candidate_pair_local_type, average_stun_round_trip_time,
  average_outbound_bitrate, average_inbound_bitrate, number_of_events, number_of_events_not_get_stats, number_of_negotiations, pending_negotiation_at_end,
  set_local_description_delay, set_remote_description_delay, signaling_delay, start_time,
  round_trip_time_mean, round_trip_time_p5, round_trip_time_p50, round_trip_time_p95, round_trip_time_max,
  available_outgoing_bitrate_mean, available_outgoing_bitrate_p5, available_outgoing_bitrate_p50, available_outgoing_bitrate_p95, available_outgoing_bitrate_max,
  time_to_connected, time_to_first_audio_packet, time_to_first_video_packet, time_to_first_video_frame, setup_signaling_time, setup_ice_time, setup_dtls_time, setup_media_time,
  ice_path, ice_path_changes, uses_relay, last_candidate_pair_local_type, reconnects, disconnected_time, connected_duration, connection_failed, last_ice_failure_time,
  dtls_errors, dtls_failures, sdp_create_failures, sdp_set_failures, packets_sent, packets_received, sent_packets_lost, received_packets_lost,
  sent_packets_lost_ratio, received_packets_lost_ratio, tallest_inbound_video_height, tallest_inbound_video_frame_rate)
SELECT id, connection_id, position, CASE failure WHEN 'description' THEN 'OperationError: Failed to set remote answer sdp' END, failure IS NULL,
  CASE WHEN failure IS NULL THEN ice + dtls END, CASE WHEN failure IS NULL THEN 'client' END, CASE WHEN failure IS NULL THEN 'FEFD' END,
  CASE WHEN failure IS NULL THEN 'AEAD_AES_128_GCM' END, true, seconds * 1000, failure IS NULL OR failure = 'dtls', CASE WHEN failure IS NULL THEN ice END, n % 11 = 0,
  2, true, true, true, true, n / 8 % 2 = 0 OR failure IS NULL, 'wifi', CASE WHEN failure IS NULL THEN split_part(path, '/', 1) END, good.rtt,
  CASE WHEN failure IS NULL THEN 900000 END, CASE WHEN failure IS NULL THEN 1100000 END, seconds, 40, CASE WHEN failure IN ('answer', 'description') THEN 0 ELSE 1 END,
  failure IN ('answer', 'description'), 3, CASE WHEN failure IN ('answer', 'description') THEN NULL ELSE 4 END, CASE WHEN failure IN ('answer', 'description') THEN NULL ELSE (1000 * seed_connection.rtt)::bigint END, start_time,
  good.rtt, 0.8 * good.rtt, good.rtt, 1.6 * good.rtt, 3 * good.rtt, good.one * 2000000, good.one * 800000, good.one * 2100000, good.one * 2600000, good.one * 3000000,
  good.one * (signaling + ice + dtls), good.one * (signaling + ice + dtls + media), good.one * (signaling + ice + dtls + media + 40),
  good.one * (signaling + ice + dtls + media + 90), CASE WHEN failure IS DISTINCT FROM 'answer' AND failure IS DISTINCT FROM 'description' THEN signaling END,
  CASE WHEN failure IS NULL OR failure = 'dtls' THEN ice END, good.one * dtls, good.one * media,
  CASE WHEN failure IS NULL THEN path END, good.one * (n % 9 = 0)::int, CASE WHEN failure IS NULL THEN path LIKE 'relay%' END, CASE WHEN failure IS NULL THEN split_part(path, '/', 1) END,
  good.one * (n % 13 = 0)::int, good.one * (n % 13 = 0)::int * 4000, good.one * (seconds * 1000 - signaling - ice - dtls), failure IN ('ice', 'dtls'),
  CASE failure WHEN 'ice' THEN start_time + INTERVAL '15 seconds' END, 0, (failure IS NOT DISTINCT FROM 'dtls')::int, 0, (failure IS NOT DISTINCT FROM 'description')::int,
  good.one * seconds * 150, good.one * seconds * 150, good.one * seconds * 150 * loss, good.one * seconds * 150 * loss, good.one * loss, good.one * loss, good.one * 720, good.one * 30
FROM seed_connection, LATERAL (SELECT CASE WHEN failure IS NULL THEN 1 END AS one, CASE WHEN failure IS NULL THEN seed_connection.rtt END AS rtt) AS good
WHERE NOT is_live;

-- From here on, what connected.
DELETE FROM seed_connection WHERE failure IS NOT NULL;

CREATE TEMP TABLE seed_stream AS
SELECT connection.*, kind, direction, rank, kind = 'audio' AS is_audio,
  -- Per second.
  CASE WHEN kind = 'audio' THEN 50 ELSE 100 END AS packets, CASE WHEN kind = 'audio' THEN 4000 ELSE 110000 END AS bytes,
  CASE WHEN kind = 'audio' THEN 48000 ELSE 30 END AS units
FROM seed_connection AS connection,
  (VALUES ('audio', 'inbound', 0), ('video', 'inbound', 1), ('audio', 'outbound', 2), ('video', 'outbound', 3)) AS stream (kind, direction, rank);

INSERT INTO features_track (session_id, connection_id, position, kind, direction, track_identifier, start_time, duration, time_to_first_frame, codec_mime_type,
  common_width, common_height, min_width, min_height, max_width, max_height, frame_count, key_frame_count, qp_sum, nack_count, pli_count, fir_count,
  bandwidth_quality_limitation_percentage, cpu_quality_limitation_percentage, quality_limitation_resolution_changes, average_encode_time, freeze_count, total_freezes_duration,
  frames_dropped, concealment_percentage, average_decode_time, average_jitter_buffer_delay,
  bitrate_mean, bitrate_p5, bitrate_p50, bitrate_p95, bitrate_max, frame_rate_mean, frame_rate_p5, frame_rate_p50, frame_rate_p95, frame_rate_max,
  round_trip_time_mean, round_trip_time_p50, round_trip_time_p95, jitter_mean, jitter_p5, jitter_p50, jitter_p95, jitter_max, loss_mean, loss_p5, loss_p50, loss_p95, loss_max,
  jitter_buffer_delay_mean, jitter_buffer_delay_p50, jitter_buffer_delay_p95, mos_mean, mos_p5, mos_min, packets_sent, packets_received, packets_lost, packets_lost_ratio,
  freeze_ratio, audible_concealment_ratio, none_quality_limitation_duration, cpu_quality_limitation_duration, bandwidth_quality_limitation_duration)
SELECT id, connection_id, rank, kind, direction, direction || '-' || kind, start_time, seconds * 1000, CASE WHEN NOT is_audio THEN 90 END,
  CASE WHEN is_audio THEN 'audio/opus' ELSE 'video/VP8' END, video * 1280, video * 720, video * 640, video * 360, video * 1280, video * 720, video * 30 * seconds, video * 4,
  video * 900 * seconds, video * 12, video * 2, 0, video * outbound * 0.1, video * outbound * 0.05, video * outbound * 2, video * outbound * 0.006, video * inbound * (n % 4),
  video * inbound * (n % 4) * 0.4, video * inbound * 3, audio * inbound * loss * 0.8, video * inbound * 0.004, inbound * (0.03 + 3 * jitter),
  8 * bytes, 5 * bytes, 8 * bytes, 10 * bytes, 11 * bytes, video * 29, video * 22, video * 30, video * 30, video * 31,
  outbound * rtt, outbound * rtt, outbound * rtt * 1.6, jitter, jitter * 0.4, jitter, jitter * 2, jitter * 4, loss, 0, loss * 0.7, loss * 3, least(1, loss * 8),
  inbound * (0.03 + 3 * jitter), inbound * (0.03 + 3 * jitter), inbound * (0.06 + 4 * jitter),
  audio * inbound * (4.4 - 12 * loss - 2 * rtt), audio * inbound * (4.2 - 20 * loss - 3 * rtt), audio * inbound * (3.9 - 25 * loss - 4 * rtt),
  outbound * packets * seconds, inbound * packets * seconds, packets * seconds * loss, loss, video * inbound * (n % 4) * 0.4 / seconds, audio * inbound * loss * 0.6,
  video * outbound * seconds * 0.85, video * outbound * seconds * 0.05, video * outbound * seconds * 0.1
FROM seed_stream, LATERAL (SELECT CASE WHEN is_audio THEN 1 END AS audio, CASE WHEN NOT is_audio THEN 1 END AS video,
  CASE direction WHEN 'inbound' THEN 1 END AS inbound, CASE direction WHEN 'outbound' THEN 1 END AS outbound) AS has
WHERE NOT is_live;

CREATE TEMP TABLE seed_step AS
SELECT id, connection_id, connection.n, path, rtt, loss, jitter, step, start_time + step * INTERVAL '10 seconds' AS time,
  -- From 0.5 to 1.5.
  0.5 + pg_temp.chance('swing ' || connection_id, 1000 * connection.n + step) AS swing
FROM seed_connection AS connection, generate_series(1, seconds / 10) AS step;

CREATE TEMP TABLE seed_stream_step AS
SELECT step.*, kind, direction, is_audio, packets, bytes, units, (3000 + 10 * stream.rank + 4 * stream.position)::bigint AS ssrc,
  -- Seconds' worth of counters, which only grow.
  10 * step - 2 + 2 * swing AS grown
FROM seed_step AS step JOIN seed_stream AS stream USING (id, connection_id);

INSERT INTO stats_inbound_rtp (time, session_id, connection_id, stats_id, ssrc, kind, transport_id, codec_id, packets_received, packets_lost, jitter, track_identifier, mid,
  frames_decoded, key_frames_decoded, frames_dropped, frame_width, frame_height, frames_per_second, qp_sum, total_decode_time, total_inter_frame_delay, freeze_count,
  total_freezes_duration, packets_discarded, fec_packets_received, bytes_received, header_bytes_received, nack_count, fir_count, pli_count, total_processing_delay, jitter_buffer_delay,
  jitter_buffer_target_delay, jitter_buffer_minimum_delay, jitter_buffer_emitted_count, total_samples_received, concealed_samples, silent_concealed_samples, concealment_events,
  inserted_samples_for_deceleration, removed_samples_for_acceleration, audio_level, total_audio_energy, total_samples_duration, frames_received, retransmitted_packets_received)
SELECT time, id, connection_id, 'IT01' || upper(left(kind, 1)) || ssrc, ssrc, kind, 'T01', 'CIT01_' || kind, packets * grown, packets * grown * loss, jitter * swing,
  'inbound-' || kind, CASE WHEN is_audio THEN '0' ELSE '1' END, video * 30 * grown, video * (1 + step / 10), video * (step / 8), video * 1280, video * CASE WHEN swing > 1.4 THEN 360 ELSE 720 END,
  video * (28 + 3 * swing), video * 900 * grown, video * 0.12 * grown, video * grown, video * (step / 12), video * (step / 12) * 0.4, step / 20, audio * step / 6, bytes * grown, packets * grown * 12,
  packets * grown * loss / 2, 0, video * (step / 15), grown * units * (0.04 + 3 * jitter), grown * units * (0.03 + 3 * jitter), grown * units * (0.035 + 3 * jitter), grown * units * 0.02,
  grown * units, audio * 48000 * grown, audio * 48000 * grown * loss * 0.8, audio * 48000 * grown * loss * 0.2, audio * (step / 5), audio * 30 * step, audio * 20 * step, audio * 0.2 * swing,
  audio * 0.01 * grown, audio * grown, video * 30 * grown, packets * grown * loss / 3
FROM seed_stream_step, LATERAL (SELECT CASE WHEN is_audio THEN 1 END AS audio, CASE WHEN NOT is_audio THEN 1 END AS video) AS has
WHERE direction = 'inbound';

INSERT INTO stats_outbound_rtp (time, session_id, connection_id, stats_id, ssrc, kind, transport_id, codec_id, packets_sent, bytes_sent, header_bytes_sent, mid, media_source_id,
  retransmitted_packets_sent, retransmitted_bytes_sent, target_bitrate, total_encoded_bytes_target, frame_width, frame_height, frames_per_second, frames_sent, frames_encoded, key_frames_encoded, qp_sum,
  total_encode_time, total_packet_send_delay, quality_limitation_reason, quality_limitation_resolution_changes, nack_count, fir_count, pli_count, encoder_implementation, active)
SELECT time, id, connection_id, 'OT01' || upper(left(kind, 1)) || ssrc, ssrc, kind, 'T01', 'COT01_' || kind, packets * grown, bytes * grown, packets * grown * 12, CASE WHEN is_audio THEN '0' ELSE '1' END,
  'S' || upper(left(kind, 1)), packets * grown * loss / 3, packets * grown * loss * 300, 8 * bytes * swing, video * bytes * grown, video * 1280, video * CASE WHEN swing > 1.4 THEN 360 ELSE 720 END,
  video * (28 + 3 * swing), video * 30 * grown, video * 30 * grown, video * (1 + step / 10), video * 800 * grown, video * 0.18 * grown, 0.001 * grown,
  CASE WHEN NOT is_audio THEN CASE WHEN swing > 1.4 THEN 'bandwidth' WHEN swing < 0.55 THEN 'cpu' ELSE 'none' END END, video * (step / 10), packets * grown * loss / 2, 0, video * (step / 20),
  CASE WHEN NOT is_audio THEN 'libvpx' END, true
FROM seed_stream_step, LATERAL (SELECT CASE WHEN NOT is_audio THEN 1 END AS video) AS has
WHERE direction = 'outbound';

INSERT INTO stats_remote_inbound_rtp (time, session_id, connection_id, stats_id, ssrc, kind, packets_lost, jitter, local_id, round_trip_time, total_round_trip_time, fraction_lost,
  round_trip_time_measurements)
SELECT time, id, connection_id, 'RI' || upper(left(kind, 1)) || ssrc, ssrc, kind, packets * grown * loss, jitter * swing, 'OT01' || upper(left(kind, 1)) || ssrc, rtt * swing, rtt * grown, least(1, loss * swing),
  step
FROM seed_stream_step WHERE direction = 'outbound';

INSERT INTO stats_remote_outbound_rtp (time, session_id, connection_id, stats_id, ssrc, kind, packets_sent, bytes_sent, local_id, reports_sent, round_trip_time)
SELECT time, id, connection_id, 'RO' || upper(left(kind, 1)) || ssrc, ssrc, kind, packets * grown, bytes * grown, 'IT01' || upper(left(kind, 1)) || ssrc, 2 * step, rtt * swing
FROM seed_stream_step WHERE direction = 'inbound';

INSERT INTO stats_media_source (time, session_id, connection_id, stats_id, track_identifier, kind, audio_level, total_audio_energy, total_samples_duration, width, height, frames, frames_per_second)
SELECT time, id, connection_id, 'S' || upper(left(kind, 1)), 'outbound-' || kind, kind, audio * 0.1 * swing, audio * 0.01 * grown, audio * grown, video * 1280, video * 720, video * 30 * grown, video * 30
FROM seed_stream_step, LATERAL (SELECT CASE WHEN is_audio THEN 1 END AS audio, CASE WHEN NOT is_audio THEN 1 END AS video) AS has
WHERE direction = 'outbound';

INSERT INTO stats_candidate_pair (time, session_id, connection_id, stats_id, transport_id, local_candidate_id, remote_candidate_id, state, nominated, packets_sent, packets_received, bytes_sent,
  bytes_received, total_round_trip_time, current_round_trip_time, available_outgoing_bitrate, requests_sent, responses_received, consent_requests_sent)
SELECT time, id, connection_id, 'CPlocal_remote', 'T01', 'Ilocal', 'Iremote', 'succeeded', true, 1500 * step, 1500 * step, 1140000 * step, 1140000 * step, rtt * 4 * step, rtt * swing, 2000000 * swing,
  4 * step, 4 * step, 4 * step
FROM seed_step;

INSERT INTO stats_transport (time, session_id, connection_id, stats_id, packets_sent, packets_received, bytes_sent, bytes_received, ice_role, dtls_state, ice_state, selected_candidate_pair_id,
  tls_version, dtls_role, srtp_cipher, selected_candidate_pair_changes)
SELECT time, id, connection_id, 'T01', 1500 * step, 1500 * step, 1140000 * step, 1140000 * step, 'controlling', 'connected', CASE WHEN n % 13 = 0 AND step = 5 THEN 'disconnected' ELSE 'connected' END,
  'CPlocal_remote', 'FEFD', 'client', 'AEAD_AES_128_GCM', 1
FROM seed_step;

INSERT INTO stats_media_playout (time, session_id, connection_id, stats_id, kind, synthesized_samples_duration, synthesized_samples_events, total_samples_duration, total_playout_delay, total_samples_count)
SELECT time, id, connection_id, 'AP', 'audio', 0.01 * (step / 6), step / 6, 10 * step, 480000 * step * 0.02, 480000 * step
FROM seed_step;

INSERT INTO stats_data_channel (time, session_id, connection_id, stats_id, label, data_channel_identifier, state, messages_sent, bytes_sent, messages_received, bytes_received)
SELECT time, id, connection_id, 'D1', 'chat', 1, 'open', 5 * step, 400 * step, 4 * step, 320 * step
FROM seed_step WHERE n % 2 = 0;

INSERT INTO stats_peer_connection (time, session_id, connection_id, stats_id, data_channels_opened, data_channels_closed)
SELECT time, id, connection_id, 'P', 1, 0 FROM seed_step WHERE n % 2 = 0 AND step = 1;

INSERT INTO stats_codec (time, session_id, connection_id, stats_id, payload_type, transport_id, mime_type, clock_rate, channels)
SELECT time, id, connection_id, (CASE direction WHEN 'inbound' THEN 'CIT01_' ELSE 'COT01_' END) || kind, CASE WHEN is_audio THEN 111 ELSE 96 END, 'T01',
  CASE WHEN is_audio THEN 'audio/opus' ELSE 'video/VP8' END, CASE WHEN is_audio THEN 48000 ELSE 90000 END, CASE WHEN is_audio THEN 2 END
FROM seed_stream_step WHERE step = 1;

INSERT INTO stats_ice_candidate (time, session_id, connection_id, stats_id, type, transport_id, address, port, protocol, candidate_type, relay_protocol)
SELECT time, id, connection_id, 'I' || side, side || '-candidate', 'T01', '192.0.2.x', 50000, 'udp', CASE side WHEN 'local' THEN split_part(path, '/', 1) ELSE 'host' END,
  CASE WHEN side = 'local' THEN nullif(split_part(path, '/', 2), '') END
FROM seed_step, (VALUES ('local'), ('remote')) AS sides (side) WHERE step = 1;

-- What Sora counts of its connections, and of its nodes, whose own sessions are none of the fleet.
INSERT INTO stats_sora_connection (time, session_id, connection_id, stats_id, rtp_total_received_rtp, rtp_total_received_rtp_byte_size, rtp_total_sent_rtp,
  rtp_total_sent_rtp_byte_size, rtp_total_received_rtcp_rtpfb_generic_nack, rtp_total_sent_rtcp_rtpfb_generic_nack, rtp_total_received_rtcp_psfb_pli,
  rtp_total_sent_rtcp_psfb_pli, rtp_total_received_rtcp_psfb_fir, rtp_total_sent_rtcp_psfb_fir, network_status_unstable_level)
SELECT time, id, connection_id, '#0', 1500 * step, 1140000 * step, 1500 * step, 1140000 * step, step / 2, step / 3, step / 10, step / 20, 0, 0, CASE WHEN swing > 1.4 THEN 1 ELSE 0 END
FROM seed_step WHERE n % 10 = 4;

INSERT INTO stats_erlang_vm (time, session_id, connection_id, stats_id, type, memory_total, memory_processes, memory_processes_used, memory_system, memory_binary, memory_code, memory_ets)
SELECT time, md5('node' || node)::uuid, 'sora@10.0.0.' || node, 'erlang-vm-memory', 'erlang-vm-memory', 70e6 * swing, 19e6 * swing, 18e6 * swing, 51e6, 1e6 * swing, 33e6, 3e6
FROM (SELECT max(fleet_end) AS fleet_end FROM seed_session) AS fleet, generate_series(fleet_end - INTERVAL '7 days', fleet_end, '1 minute') AS time, generate_series(1, 2) AS node,
  LATERAL (SELECT 0.5 + pg_temp.chance('node' || node, extract(epoch FROM time)::bigint / 60) AS swing) AS of_time;

INSERT INTO stats_erlang_vm (time, session_id, connection_id, stats_id, type, statistics_context_switches, statistics_reductions_total_reductions, statistics_run_queue,
  statistics_total_run_queue_lengths_all)
SELECT time, session_id, connection_id, 'erlang-vm-statistics', 'erlang-vm-statistics', extract(epoch FROM time)::bigint * 1000 % 1000000000000, extract(epoch FROM time)::bigint * 100000,
  memory_binary % 3, memory_binary % 4
FROM stats_erlang_vm;

-- What was wrong: of who has no connection the device, of others what was slow or lost, of all that the page was hidden.
INSERT INTO findings (session_id, position, rule, severity, connection_id, kind, direction, begin_time, end_time, sentence, measured)
SELECT id, row_number() OVER (PARTITION BY id ORDER BY rank, rule) - 1, rule, (ARRAY['critical', 'warning', 'notice'])[rank], connection_id, kind, direction,
  begin_time, begin_time + lasts * INTERVAL '1 second', 'Seeded: ' || rule, jsonb_build_object('total', jsonb_build_object('value', lasts, 'unit', 's'))
FROM seed_session, LATERAL (SELECT date_trunc('milliseconds', start_time) + INTERVAL '20 seconds' AS begin_time) AS begun, LATERAL (VALUES
  (1, 'capture-denied', NULL, NULL, NULL, 0, is_without_connection),
  (1, 'ice-failed', 'PC_0', NULL, NULL, 0, failure = 'ice'),
  (2, 'packet-loss', 'PC_0', 'audio', 'inbound', 15, NOT is_without_connection AND failure IS NULL AND n % 4 = 0),
  (2, 'slow-setup', 'PC_0', NULL, NULL, 4, NOT is_without_connection AND failure IS NULL),
  (3, 'page-hidden', NULL, NULL, NULL, 30, true)) AS found (rank, rule, connection_id, kind, direction, lasts, is_there)
WHERE NOT is_live AND is_there;
UPDATE sessions SET critical_findings = (SELECT count(*) FROM findings WHERE session_id = id AND severity = 'critical'),
  warning_findings = (SELECT count(*) FROM findings WHERE session_id = id AND severity = 'warning') WHERE state = 'ended';

DROP TABLE seed_session, seed_connection, seed_stream, seed_step, seed_stream_step;
