# A release that is there becomes the one that serves; the five newest are kept. Safe to repeat.
# shellcheck shell=sh disable=SC1090,SC2012,SC2154 # what is given
# Given: app, release, site_port.
set -eu
cd "/srv/$app"
if [ "$(readlink current || :)" != "releases/$release" ] || [ -e "/run/$app.restart" ]; then
  ln -sfn "releases/$release" current.new
  mv -T current.new current
  systemctl restart "$app.service"
  rm -f "/run/$app.restart"
fi
tries=0
until curl -fsS -o /dev/null "http://127.0.0.1:$site_port/healthz"; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || exit 1
  sleep 0.1
done
ls -1dtc releases/*/ | tail -n +6 | xargs -r rm -rf
