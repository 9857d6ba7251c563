#!/bin/sh
# Slipway: runs one instance of site under uWSGI, in the foreground.
set -eu
instance=$1
cd "/srv/site/instances/$instance"
exec uwsgi --ini /etc/slipway/site/uwsgi.ini --http-socket "/run/site/$instance.sock" \
  --virtualenv "$PWD/.venv" --processes "$((2 * $(nproc) + 1))"
