SELECT time_bucket('1 minute', time) AS bucket, session_id, connection_id, stats_id,
  max(bytes_sent) AS bytes_sent,
  max(bytes_received) AS bytes_received,
  max(bytes_sent) - least(min(bytes_sent), min((before->>'bytes_sent')::bigint)) AS bytes_sent_gain,
  max(bytes_received) - least(min(bytes_received), min((before->>'bytes_received')::bigint)) AS bytes_received_gain,
  avg(current_round_trip_time) AS average_round_trip_time,
  max(current_round_trip_time) AS max_round_trip_time,
  avg(available_outgoing_bitrate) AS average_available_outgoing_bitrate,
  min(available_outgoing_bitrate) AS min_available_outgoing_bitrate,
  -- How long the counters ran.
  extract(epoch FROM max(time) - min(time)) + coalesce(max((before->>'seconds')::numeric), 0) AS seconds,
  count(*) AS rows
FROM stats_candidate_pair
GROUP BY 1, 2, 3, 4
