SELECT time_bucket('1 minute', time) AS bucket, session_id, connection_id, stats_id, kind,
  -- Counters: what a stream gained is the difference to the row before the minute, if that is not far away, and else to the first.
  max(packets_sent) AS packets_sent,
  max(bytes_sent) AS bytes_sent,
  max(packets_sent) - least(min(packets_sent), min((before->>'packets_sent')::bigint)) AS packets_sent_gain,
  max(bytes_sent) - least(min(bytes_sent), min((before->>'bytes_sent')::bigint)) AS bytes_sent_gain,
  max(retransmitted_packets_sent) - least(min(retransmitted_packets_sent), min((before->>'retransmitted_packets_sent')::bigint)) AS retransmitted_packets_sent_gain,
  max(nack_count) - least(min(nack_count), min((before->>'nack_count')::bigint)) AS nack_count_gain,
  max(pli_count) - least(min(pli_count), min((before->>'pli_count')::bigint)) AS pli_count_gain,
  avg(target_bitrate) AS average_target_bitrate,
  avg(frames_per_second) AS average_frames_per_second,
  min(frames_per_second) AS min_frames_per_second,
  max(frame_height) AS max_frame_height,
  -- How long the counters ran.
  extract(epoch FROM max(time) - min(time)) + coalesce(max((before->>'seconds')::numeric), 0) AS seconds,
  count(*) AS rows
FROM stats_outbound_rtp
GROUP BY 1, 2, 3, 4, 5
