#!/bin/sh
# Slipway: runs one instance of site under uWSGI, in the foreground.
set -eu
instance=$1
folder=/srv/site/instances/$instance
cd "$folder/release"
exec uwsgi --ini "$folder/uwsgi.ini" --http-socket "/run/site/$instance.sock" \
  --virtualenv "$PWD/.venv" --processes "$((2 * $(nproc) + 1))"
