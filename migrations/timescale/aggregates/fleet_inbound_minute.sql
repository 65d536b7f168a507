SELECT time_bucket('1 minute', bucket) AS bucket, kind,
  sum(packets_received_gain) AS packets_received,
  sum(packets_lost_gain) AS packets_lost,
  sum(bytes_received_gain) AS bytes_received,
  sum(concealed_samples_gain) AS concealed_samples,
  sum(total_samples_received_gain) AS total_samples_received,
  sum(total_freezes_duration_gain) AS total_freezes_duration,
  sum(jitter_buffer_delay_gain) AS jitter_buffer_delay,
  sum(jitter_buffer_emitted_count_gain) AS jitter_buffer_emitted_count,
  avg(average_jitter) AS average_jitter,
  avg(average_frames_per_second) AS average_frames_per_second,
  sum(seconds) AS seconds,
  count(*) AS streams
FROM inbound_rtp_minute
GROUP BY 1, 2
