# Writes into a database when its release command last ran. A dump contains that, so a database that is new or was
# restored from an older dump says something else. It is a comment, because setting one runs no code of the application.
set -eu
runuser -u postgres -- psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --dbname {{ database | quote }} <<'SQL'
SET client_min_messages = warning;
SET lock_timeout = '5s';
CREATE SCHEMA IF NOT EXISTS slipway AUTHORIZATION "{{ database }}";
COMMENT ON SCHEMA slipway IS 'release command of Slipway: {{ mark }}';
SQL
