-- The role with which Grafana reads the exporter's database: the views in mltrace_ro, nothing else.
-- Run it as an administrator, as often as you like, and give it the password:
--
--     psql --variable=password="$MLTRACE_PG_RO_PASSWORD" --file=reader.sql "$MLTRACE_DATABASE_URL"
--
-- The exporter grants mltrace_reader what it reads, at its next start if the role is new.
\set ON_ERROR_STOP on
SELECT 'CREATE ROLE mltrace_reader NOLOGIN'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mltrace_reader') \gexec
SELECT 'CREATE ROLE mltrace_grafana LOGIN IN ROLE mltrace_reader'
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'mltrace_grafana') \gexec
ALTER ROLE mltrace_grafana PASSWORD :'password';
ALTER ROLE mltrace_grafana CONNECTION LIMIT 20;
ALTER ROLE mltrace_grafana SET statement_timeout = '30s';
ALTER ROLE mltrace_grafana SET default_transaction_read_only = on;
