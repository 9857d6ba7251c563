# The release command, on one server only, once for each release.
# shellcheck shell=sh disable=SC1090,SC2012,SC2154 # what is given
# Given: app, release.
set -eu
cd "/srv/$app/releases/$release"
if [ ! -e "/srv/$app/venvs/$release.migrated" ]; then
  set -a
  . "/etc/$app/env"
  set +a
  runuser -u "$app" -- .venv/bin/python release.py
  touch "/srv/$app/venvs/$release.migrated"
fi
