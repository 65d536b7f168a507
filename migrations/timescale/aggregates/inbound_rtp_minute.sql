SELECT time_bucket('1 minute', time) AS bucket, session_id, connection_id, stats_id, kind,
  -- Counters: what a stream gained between two minutes is the difference of two rows.
  max(packets_received) AS packets_received,
  -- It falls when a packet comes late after all, which makes up for one that was lost before.
  last(packets_lost, time) AS packets_lost,
  max(bytes_received) AS bytes_received,
  max(packets_received) - min(packets_received) AS packets_received_gain,
  CASE WHEN last(packets_lost, time) < first(packets_lost, time) THEN 0
    ELSE last(packets_lost, time) - first(packets_lost, time) END AS packets_lost_gain,
  max(bytes_received) - min(bytes_received) AS bytes_received_gain,
  max(jitter_buffer_delay) - min(jitter_buffer_delay) AS jitter_buffer_delay_gain,
  max(jitter_buffer_emitted_count) - min(jitter_buffer_emitted_count) AS jitter_buffer_emitted_count_gain,
  max(concealed_samples) - min(concealed_samples) AS concealed_samples_gain,
  max(total_samples_received) - min(total_samples_received) AS total_samples_received_gain,
  max(total_freezes_duration) - min(total_freezes_duration) AS total_freezes_duration_gain,
  avg(jitter) AS average_jitter,
  max(jitter) AS max_jitter,
  avg(frames_per_second) AS average_frames_per_second,
  min(frames_per_second) AS min_frames_per_second,
  max(frame_height) AS max_frame_height,
  -- How long the counters ran.
  extract(epoch FROM max(time) - min(time)) AS seconds,
  count(*) AS rows
FROM stats_inbound_rtp
GROUP BY 1, 2, 3, 4, 5
