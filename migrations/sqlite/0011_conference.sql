-- What Jitsi's application tells of the conference, and how unevenly packets were lost.

ALTER TABLE features_client ADD COLUMN conference_start_time INTEGER;
ALTER TABLE features_client ADD COLUMN conference_duration INTEGER;
ALTER TABLE features_client ADD COLUMN dominant_speaker_changes INTEGER;
ALTER TABLE features_client ADD COLUMN speaker_time INTEGER;
ALTER TABLE features_client ADD COLUMN sentiment_angry REAL;
ALTER TABLE features_client ADD COLUMN sentiment_disgusted REAL;
ALTER TABLE features_client ADD COLUMN sentiment_fearful REAL;
ALTER TABLE features_client ADD COLUMN sentiment_happy REAL;
ALTER TABLE features_client ADD COLUMN sentiment_neutral REAL;
ALTER TABLE features_client ADD COLUMN sentiment_sad REAL;
ALTER TABLE features_client ADD COLUMN sentiment_surprised REAL;
ALTER TABLE features_client ADD COLUMN end_to_end_round_trip_time_last REAL;
ALTER TABLE features_client ADD COLUMN end_to_end_round_trip_time_mean REAL;
ALTER TABLE features_client ADD COLUMN end_to_end_round_trip_time_max REAL;
ALTER TABLE features_client ADD COLUMN deployment_region TEXT;
ALTER TABLE features_client ADD COLUMN deployment_user_region TEXT;
ALTER TABLE features_client ADD COLUMN deployment_cross_region INTEGER;
ALTER TABLE features_client ADD COLUMN deployment_environment TEXT;
ALTER TABLE features_client ADD COLUMN deployment_environment_type TEXT;
ALTER TABLE features_client ADD COLUMN deployment_shard TEXT;
ALTER TABLE features_client ADD COLUMN deployment_release_number TEXT;

ALTER TABLE features_track ADD COLUMN packets_lost_variance REAL;
