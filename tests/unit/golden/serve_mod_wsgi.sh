#!/bin/bash
# Slipway: runs one instance of site under Apache with mod_wsgi, in the foreground.
#
# Apache listens on TCP only. It gets an address of 127.0.0.0/8 that is this instance's alone, and
# systemd-socket-proxyd leads the instance's socket there. When one of them ends, so does the other.
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
socket=/run/site/$instance.sock
digits=$(printf %s "site@$instance" | sha256sum)
host=127.$((16#${digits:0:2} / 2 + 100)).$((16#${digits:2:2})).$((16#${digits:4:2} / 2 + 100))
export SLIPWAY_FOLDER=/srv/site/instances/$instance SLIPWAY_INSTANCE=$instance SLIPWAY_ADDRESS=$host:7080
export SLIPWAY_WORKERS=$((2 * $(nproc) + 1))
cd "$SLIPWAY_FOLDER/release"
rm -f "/run/site/$instance.pid" "/run/site/$instance.wsgi."*

# shellcheck disable=SC2329 # a trap calls it
end() {
  # A process group of its own, to leave none of its processes behind.
  [ -z "$apache" ] || kill -KILL -- "-$apache" 2>/dev/null || true
  [ -z "$bridge" ] || kill "$bridge" 2>/dev/null || true
  rm -f "$socket" "/run/site/$instance.pid"
}
# shellcheck disable=SC2329 # a trap calls it
stop() {
  trap - TERM
  # Graceful: what is being answered is answered.
  kill -WINCH "$apache" 2>/dev/null || true
  wait "$apache" || true
  exit 0
}

apache='' bridge=''
trap stop TERM
trap end EXIT
# The death of this script is theirs too.
setsid setpriv --pdeathsig TERM apache2 -f "$SLIPWAY_FOLDER/apache.conf" -DFOREGROUND &
apache=$!
until (: <"/dev/tcp/$host/7080") 2>/dev/null; do
  kill -0 "$apache" 2>/dev/null || exit 1
  sleep 0.05
done
rm -f "$socket"
# Each connection takes six files in between, of the 1024 that are given: as many as may be, then.
ulimit -S -n "$(ulimit -H -n)"
setpriv --pdeathsig KILL systemd-socket-activate --listen="$socket" \
  /lib/systemd/systemd-socket-proxyd --connections-max=4096 "$SLIPWAY_ADDRESS" &
bridge=$!
until [ -S "$socket" ]; do
  kill -0 "$bridge" 2>/dev/null || exit 1
  sleep 0.05
done
# nginx, in the application's group, is the only one to connect.
chmod 0660 "$socket"
wait -n "$apache" "$bridge" || true
exit 1
