#!/bin/sh
# Slipway: gives one instance of {{ app }} its environment, user and log, as its systemd unit would.
set -eu
instance=$1
umask 027
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SLIPWAY_INSTANCE="$instance"
export HOME={{ root }} USER={{ app }} LOGNAME={{ app }} LANG=C.UTF-8
set -a
# shellcheck source=/dev/null
. {{ configuration }}/env
set +a
exec systemd-cat --identifier="{{ app }}@$instance" \
  setpriv --reuid={{ app }} --regid={{ app }} --init-groups --no-new-privs --inh-caps=-all \
  {{ configuration }}/serve "$instance"
