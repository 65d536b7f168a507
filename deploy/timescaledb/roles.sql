-- The roles of the database, made once when it is empty: `rtctrace` owns it and brings the schema up to date, `grafana` may read it.
-- Run by psql as a superuser; passwords come from the environment.

\getenv rtctrace_password RTCTRACE_DATABASE_PASSWORD
\getenv grafana_password GRAFANA_DATABASE_PASSWORD

CREATE EXTENSION IF NOT EXISTS timescaledb;

CREATE ROLE rtctrace LOGIN PASSWORD :'rtctrace_password';
CREATE ROLE grafana LOGIN PASSWORD :'grafana_password' CONNECTION LIMIT 20;
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '60s';

ALTER DATABASE rtctrace OWNER TO rtctrace;
REVOKE ALL ON DATABASE rtctrace FROM PUBLIC;
GRANT CONNECT ON DATABASE rtctrace TO grafana;

-- Advisory locks keep collectors apart; whoever else could take one could keep all of them waiting.
DO $$
DECLARE taker regprocedure;
BEGIN
  FOR taker IN SELECT oid FROM pg_proc WHERE proname ~ '^pg_.*advisory' AND pronamespace = 'pg_catalog'::regnamespace LOOP
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', taker);
    EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO rtctrace', taker);
  END LOOP;
END $$;

-- What the collector makes there later, Grafana may read.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO rtctrace;
GRANT USAGE ON SCHEMA public TO grafana;
ALTER DEFAULT PRIVILEGES FOR ROLE rtctrace IN SCHEMA public GRANT SELECT ON TABLES TO grafana;
