SELECT time_bucket('1 minute', time) AS bucket, session_id, connection_id, stats_id, kind,
  -- Counters: what a stream gained between two minutes is the difference of two rows.
  max(packets_sent) AS packets_sent,
  max(bytes_sent) AS bytes_sent,
  max(packets_sent) - min(packets_sent) AS packets_sent_gain,
  max(bytes_sent) - min(bytes_sent) AS bytes_sent_gain,
  max(retransmitted_packets_sent) - min(retransmitted_packets_sent) AS retransmitted_packets_sent_gain,
  max(nack_count) - min(nack_count) AS nack_count_gain,
  max(pli_count) - min(pli_count) AS pli_count_gain,
  avg(target_bitrate) AS average_target_bitrate,
  avg(frames_per_second) AS average_frames_per_second,
  min(frames_per_second) AS min_frames_per_second,
  max(frame_height) AS max_frame_height,
  -- How long the counters ran.
  extract(epoch FROM max(time) - min(time)) AS seconds,
  count(*) AS rows
FROM stats_outbound_rtp
GROUP BY 1, 2, 3, 4, 5
