#!/bin/sh
# Slipway: gives one instance of {{ app }} its environment, user and log, as its systemd unit would.
set -eu
umask 027
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SLIPWAY_INSTANCE="$1"
export HOME={{ root }} USER={{ app }} LOGNAME={{ app }} LANG=C.UTF-8
set -a
# shellcheck source=/dev/null
. "{{ root }}/instances/$1/env"
set +a
# Nothing from here on leans on a variable: the application may have one of any name.
exec /usr/bin/systemd-cat --identifier="{{ app }}@$1" \
  /usr/bin/setpriv --reuid={{ app }} --regid={{ app }} --init-groups --no-new-privs --inh-caps=-all \
  {{ runs.interpreter }} "{{ root }}/instances/$1/serve" "$1"
