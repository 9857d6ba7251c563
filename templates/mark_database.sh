# Writes into a database when its release command ran last: a dump takes that along, and a database that is new or
# was restored from an older dump says something else. A comment, for nothing of the application runs when one is set.
set -eu
runuser -u postgres -- psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --dbname {{ database | quote }} <<'SQL'
SET client_min_messages = warning;
SET lock_timeout = '5s';
CREATE SCHEMA IF NOT EXISTS slipway AUTHORIZATION "{{ database }}";
COMMENT ON SCHEMA slipway IS 'release command of Slipway: {{ mark }}';
SQL
