#!/bin/sh
# Slipway: runs one instance of {{ app }} under uWSGI, in the foreground.
set -eu
instance=$1
{% include "pause.sh" %}
folder={{ root }}/instances/$instance
cd "$folder/release"
exec uwsgi --ini "$folder/uwsgi.ini" --http-socket "/run/{{ app }}/$instance.sock" \
  --virtualenv "$PWD/.venv" --processes {{ workers or '"$((2 * $(nproc) + 1))"' }}
