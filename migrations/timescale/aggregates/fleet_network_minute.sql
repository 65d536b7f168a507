SELECT time_bucket('1 minute', bucket) AS bucket,
  sum(bytes_sent_gain) AS bytes_sent,
  sum(bytes_received_gain) AS bytes_received,
  avg(average_round_trip_time) AS average_round_trip_time,
  max(max_round_trip_time) AS max_round_trip_time,
  avg(average_available_outgoing_bitrate) AS average_available_outgoing_bitrate,
  count(average_round_trip_time) AS pairs
FROM candidate_pair_minute
GROUP BY 1
