#!/bin/sh
# Slipway: gives one instance of site its environment, user and log, as its systemd unit would.
set -eu
instance=$1
umask 027
export PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 SLIPWAY_INSTANCE="$instance"
export HOME=/srv/site USER=site LOGNAME=site LANG=C.UTF-8
set -a
# shellcheck source=/dev/null
. /etc/slipway/site/env
set +a
exec systemd-cat --identifier="site@$instance" \
  setpriv --reuid=site --regid=site --init-groups --no-new-privs --inh-caps=-all \
  /etc/slipway/site/serve "$instance"
