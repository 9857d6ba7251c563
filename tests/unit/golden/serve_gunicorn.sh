#!/bin/sh
# Slipway: runs one instance of site under gunicorn, in the foreground.
set -eu
instance=$1
folder=/srv/site/instances/$instance
gunicorn=$folder/release/.venv/bin/gunicorn
if [ ! -x "$gunicorn" ]; then
  echo "gunicorn is not among the packages of this release, and appServer is gunicorn" >&2
  exit 1
fi
cd "$folder/release"
exec "$gunicorn" --config "$folder/gunicorn.conf.py" --bind "unix:/run/site/$instance.sock" wsgi:app
