# One application's database on the server that is for it. Safe to repeat.
# shellcheck shell=sh disable=SC1090,SC2012,SC2154 # what is given
# Given: app, password, network; and create_database.sql beside this file.
set -eu
here=$1
if ! dpkg-query -W -f '${db:Status-Abbrev}' postgresql 2>/dev/null | grep -q ^ii; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends postgresql >/dev/null
fi
folder=$(echo /etc/postgresql/*/main)
listen="listen_addresses = '*'"
if ! grep -qxF "$listen" "$folder/conf.d/listen.conf" 2>/dev/null; then
  echo "$listen" >"$folder/conf.d/listen.conf"
  systemctl restart postgresql
fi
rule="hostssl $app $app $network scram-sha-256"
if ! grep -qxF "$rule" "$folder/pg_hba.conf"; then
  echo "$rule" >>"$folder/pg_hba.conf"
  systemctl reload postgresql
fi
runuser -u postgres -- psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 \
  --set app="$app" --set password="$password" <"$here/create_database.sql"
