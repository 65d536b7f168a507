-- Views by minutes saw what counters gained between rows of one minute. Of clients whose reports come a minute apart, as those that the SFU Sora tells of, that is
-- nothing. The first row of a minute now has with it how long before it (s) its entry's row before is, and what that one's counters were.

ALTER TABLE stats_inbound_rtp ADD COLUMN before jsonb;
ALTER TABLE stats_outbound_rtp ADD COLUMN before jsonb;
ALTER TABLE stats_candidate_pair ADD COLUMN before jsonb;

-- The start makes the views anew over all rows there are.
DO $$
DECLARE
  name text;
  is_continuous boolean;
BEGIN
  -- Those that are made of others go first.
  FOREACH name IN ARRAY ARRAY[
    'fleet_network_minute', 'fleet_outbound_minute', 'fleet_inbound_minute', 'candidate_pair_minute', 'outbound_rtp_minute', 'inbound_rtp_minute'
  ] LOOP
    CONTINUE WHEN to_regclass(name) IS NULL;
    is_continuous := false;
    IF EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb') THEN
      is_continuous := EXISTS (SELECT FROM timescaledb_information.continuous_aggregates WHERE view_name = name);
    END IF;
    EXECUTE format(CASE WHEN is_continuous THEN 'DROP MATERIALIZED VIEW %I CASCADE' ELSE 'DROP VIEW %I CASCADE' END, name);
  END LOOP;
END
$$;
