-- What Jitsi's application tells of the conference, and how unevenly packets were lost.

ALTER TABLE features_client
  ADD COLUMN conference_start_time timestamptz,
  ADD COLUMN conference_duration bigint,
  ADD COLUMN dominant_speaker_changes bigint,
  ADD COLUMN speaker_time bigint,
  ADD COLUMN sentiment_angry double precision,
  ADD COLUMN sentiment_disgusted double precision,
  ADD COLUMN sentiment_fearful double precision,
  ADD COLUMN sentiment_happy double precision,
  ADD COLUMN sentiment_neutral double precision,
  ADD COLUMN sentiment_sad double precision,
  ADD COLUMN sentiment_surprised double precision,
  ADD COLUMN end_to_end_round_trip_time_last double precision,
  ADD COLUMN end_to_end_round_trip_time_mean double precision,
  ADD COLUMN end_to_end_round_trip_time_max double precision,
  ADD COLUMN deployment_region text,
  ADD COLUMN deployment_user_region text,
  ADD COLUMN deployment_cross_region boolean,
  ADD COLUMN deployment_environment text,
  ADD COLUMN deployment_environment_type text,
  ADD COLUMN deployment_shard text,
  ADD COLUMN deployment_release_number text;

ALTER TABLE features_track
  ADD COLUMN packets_lost_variance double precision;
