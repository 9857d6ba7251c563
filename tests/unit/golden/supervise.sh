#!/bin/sh
# Slipway: gives one instance of site its environment, user and log, as its systemd unit would.
set -eu
umask 027
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SLIPWAY_INSTANCE="$1"
export HOME=/srv/site USER=site LOGNAME=site LANG=C.UTF-8
set -a
# shellcheck source=/dev/null
. "/srv/site/instances/$1/env"
set +a
# Nothing from here on leans on a variable: the application may have one of any name.
exec /usr/bin/systemd-cat --identifier="site@$1" \
  /usr/bin/setpriv --reuid=site --regid=site --init-groups --no-new-privs --inh-caps=-all \
  /bin/sh "/srv/site/instances/$1/serve" "$1"
