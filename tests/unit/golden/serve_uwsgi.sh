#!/bin/sh
# Slipway: runs one instance of site under uWSGI, in the foreground.
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
cd "$folder/release"
exec uwsgi --ini "$folder/uwsgi.ini" --http-socket "/run/site/$instance.sock" \
  --virtualenv "$PWD/.venv" --processes "$((2 * $(nproc) + 1))"
