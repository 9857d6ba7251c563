# Makes the application's role and database; the role's password is read from standard input.
set -eu
password=$(cat)
as_postgres() { runuser -u postgres -- psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 "$@"; }
as_postgres <<SQL
DO \$\$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{{ role }}') THEN
    CREATE ROLE {{ role }} LOGIN;
  END IF;
END
\$\$;
ALTER ROLE {{ role }} PASSWORD '$password';
SQL
if ! as_postgres --tuples-only --command "SELECT 1 FROM pg_database WHERE datname = '{{ database }}'" | grep -q 1; then
  as_postgres --command "CREATE DATABASE {{ database }} OWNER {{ role }}"
fi
as_postgres --command "REVOKE CONNECT ON DATABASE {{ database }} FROM PUBLIC"
