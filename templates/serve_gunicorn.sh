#!/bin/sh
# Slipway: runs one instance of {{ app }} under gunicorn, in the foreground.
set -eu
instance=$1
gunicorn={{ root }}/instances/$instance/.venv/bin/gunicorn
if [ ! -x "$gunicorn" ]; then
  echo "gunicorn is not among the packages of this release, and appServer is gunicorn" >&2
  exit 1
fi
cd "{{ root }}/instances/$instance"
exec "$gunicorn" --config {{ configuration }}/gunicorn.conf.py --bind "unix:/run/{{ app }}/$instance.sock" {{ module | quote }}
