#!/bin/sh
# Slipway: runs one instance of site under gunicorn, in the foreground.
set -eu
instance=$1
# An instance that keeps crashing, perhaps because its database is down, waits longer before each start, up to 20 s.
# One that has run for a minute starts at once.
attempts=/run/site/$instance.attempts
count=0 last=0 now=$(date +%s)
[ ! -r "$attempts" ] || read -r count last <"$attempts" || :
if [ $((now - last)) -lt 60 ]; then count=$((count + 1)); else count=0; fi
pause=0
[ "$count" -lt 3 ] || pause=$((count < 8 ? 1 << (count - 3) : 20))
echo "$count $((now + pause))" >"$attempts"
sleep "$pause"
folder=/srv/site/instances/$instance
gunicorn=$folder/release/.venv/bin/gunicorn
if [ ! -x "$gunicorn" ]; then
  echo "gunicorn is not among the packages of this release, and appServer is gunicorn" >&2
  exit 1
fi
cd "$folder/release"
exec "$gunicorn" --config "$folder/gunicorn.conf.py" --bind "unix:/run/site/$instance.sock" wsgi:app
