-- Makes the users of the database, when its volume is new: run by the image of PostgreSQL as its
-- superuser, who after this can log in from inside its container only.
\set ON_ERROR_STOP on

-- The exporter's.
\set password `cat /run/secrets/database-password`
CREATE ROLE mltrace LOGIN PASSWORD :'password';
ALTER DATABASE mltrace OWNER TO mltrace;

-- Grafana's, which may read the views of mltrace_ro and nothing else.
\set password `cat /run/secrets/reader-password`
\i /etc/mltrace/reader.sql

ALTER ROLE CURRENT_USER PASSWORD NULL;
