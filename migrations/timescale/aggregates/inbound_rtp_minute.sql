SELECT time_bucket('1 minute', time) AS bucket, session_id, connection_id, stats_id, kind,
  -- Counters: what a stream gained is the difference to the row before the minute, if that is not far away, and else to the first.
  max(packets_received) AS packets_received,
  -- It falls when a packet comes late after all, which makes up for one that was lost before.
  last(packets_lost, time) AS packets_lost,
  max(bytes_received) AS bytes_received,
  max(packets_received) - least(min(packets_received), min((before->>'packets_received')::bigint)) AS packets_received_gain,
  CASE WHEN last(packets_lost, time) < first(coalesce((before->>'packets_lost')::bigint, packets_lost), time) THEN 0
    ELSE last(packets_lost, time) - first(coalesce((before->>'packets_lost')::bigint, packets_lost), time) END AS packets_lost_gain,
  max(bytes_received) - least(min(bytes_received), min((before->>'bytes_received')::bigint)) AS bytes_received_gain,
  max(jitter_buffer_delay) - least(min(jitter_buffer_delay), min((before->>'jitter_buffer_delay')::double precision)) AS jitter_buffer_delay_gain,
  max(jitter_buffer_emitted_count) - least(min(jitter_buffer_emitted_count), min((before->>'jitter_buffer_emitted_count')::bigint)) AS jitter_buffer_emitted_count_gain,
  max(concealed_samples) - least(min(concealed_samples), min((before->>'concealed_samples')::bigint)) AS concealed_samples_gain,
  max(total_samples_received) - least(min(total_samples_received), min((before->>'total_samples_received')::bigint)) AS total_samples_received_gain,
  max(total_freezes_duration) - least(min(total_freezes_duration), min((before->>'total_freezes_duration')::double precision)) AS total_freezes_duration_gain,
  avg(jitter) AS average_jitter,
  max(jitter) AS max_jitter,
  avg(frames_per_second) AS average_frames_per_second,
  min(frames_per_second) AS min_frames_per_second,
  max(frame_height) AS max_frame_height,
  -- How long the counters ran.
  extract(epoch FROM max(time) - min(time)) + coalesce(max((before->>'seconds')::numeric), 0) AS seconds,
  count(*) AS rows
FROM stats_inbound_rtp
GROUP BY 1, 2, 3, 4, 5
