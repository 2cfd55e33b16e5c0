#!/bin/sh
# Runs once, when the database is created: a role for analysts that can read and nothing else.
set -eu
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    --set=password="$ANALYST_PASSWORD" --set=owner="$POSTGRES_USER" --set=database="$POSTGRES_DB" <<'SQL'
CREATE ROLE analyst LOGIN PASSWORD :'password';
ALTER ROLE analyst SET default_transaction_read_only = on;
ALTER ROLE analyst SET statement_timeout = '60s';
GRANT CONNECT ON DATABASE :"database" TO analyst;
GRANT USAGE ON SCHEMA public TO analyst;
-- Tables that the migrations create later belong to the owner: readable from their first moment.
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT SELECT ON TABLES TO analyst;
SQL
