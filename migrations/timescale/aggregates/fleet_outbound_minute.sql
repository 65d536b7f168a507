SELECT time_bucket('1 minute', bucket) AS bucket, kind,
  sum(packets_sent_gain) AS packets_sent,
  sum(bytes_sent_gain) AS bytes_sent,
  sum(retransmitted_packets_sent_gain) AS retransmitted_packets_sent,
  avg(average_target_bitrate) AS average_target_bitrate,
  avg(average_frames_per_second) AS average_frames_per_second,
  sum(seconds) AS seconds,
  count(*) AS streams
FROM outbound_rtp_minute
GROUP BY 1, 2
