# A release in its folder, with its packages; the archive comes by standard input. Safe to repeat.
# shellcheck shell=sh disable=SC1090,SC2012,SC2154 # what is given
# Given: app, release, requirements (a digest).
set -eu
cd "/srv/$app"
if [ ! -d "releases/$release" ]; then
  rm -rf "releases/.$release"
  mkdir "releases/.$release"
  tar -xz -C "releases/.$release" --no-same-owner
  if [ ! -d "venvs/$requirements" ]; then
    rm -rf "venvs/.$requirements"
    uv venv -q --relocatable --python /usr/bin/python3 "venvs/.$requirements"
    uv pip install -q --compile-bytecode --require-hashes --python "venvs/.$requirements/bin/python" \
      -r "releases/.$release/requirements.txt"
    mv -T "venvs/.$requirements" "venvs/$requirements"
  fi
  ln -s "../../venvs/$requirements" "releases/.$release/.venv"
  mv -T "releases/.$release" "releases/$release"
fi
