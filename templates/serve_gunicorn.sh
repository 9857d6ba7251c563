#!/bin/sh
# Slipway: runs one instance of {{ app }} under gunicorn, in the foreground.
set -eu
instance=$1
{% include "pause.sh" %}
folder={{ root }}/instances/$instance
gunicorn=$folder/release/.venv/bin/gunicorn
if [ ! -x "$gunicorn" ]; then
  echo "gunicorn is not among the packages of this release, and appServer is gunicorn" >&2
  exit 1
fi
cd "$folder/release"
exec "$gunicorn" --config "$folder/gunicorn.conf.py" --bind "unix:/run/{{ app }}/$instance.sock" {{ module | quote }}
