-- The views by minutes were wrong in two ways. That of received streams took packets_lost for a counter that only grows, but it falls when a packet comes late
-- after all; and those of a PostgreSQL without TimescaleDB did not find the minute of a row. Those that are wrong go, and the start makes them anew over all
-- rows there are.

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
    IF NOT is_continuous THEN
      EXECUTE format('DROP VIEW %I CASCADE', name);
    ELSIF name IN ('fleet_inbound_minute', 'inbound_rtp_minute') THEN
      EXECUTE format('DROP MATERIALIZED VIEW %I CASCADE', name);
    END IF;
  END LOOP;
END
$$;
