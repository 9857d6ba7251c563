#!/bin/sh
# Slipway: runs one instance of site under gunicorn, in the foreground.
set -eu
instance=$1
gunicorn=/srv/site/instances/$instance/.venv/bin/gunicorn
if [ ! -x "$gunicorn" ]; then
  echo "gunicorn is not among the packages of this release, and appServer is gunicorn" >&2
  exit 1
fi
cd "/srv/site/instances/$instance"
exec "$gunicorn" --config /etc/slipway/site/gunicorn.conf.py --bind "unix:/run/site/$instance.sock" wsgi:app
