# Creates the application's role and database. The role's password is read from standard input.
# Safe to repeat.
{% if epoch %}
# Runs again since {{ epoch }}, when the database was found to be missing or replaced.
{% endif %}
set -eu
password=$(sed "s/'/''/g")
runuser -u postgres -- psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 <<SQL
-- PostgreSQL would log a failing statement in full, with the password.
SET log_min_error_statement = panic;
SELECT 'CREATE ROLE "{{ role }}" LOGIN'
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{{ role }}') \gexec
ALTER ROLE "{{ role }}" PASSWORD '$password';
SELECT 'CREATE DATABASE "{{ database }}" OWNER "{{ role }}"'
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{{ database }}') \gexec
REVOKE CONNECT ON DATABASE "{{ database }}" FROM PUBLIC;
SQL
slipway-note database {{ database }} || :
