# shellcheck shell=bash
# What `scripts/activate` has set in a shell, and how a script of another clone gets rid of it.

# `scripts/activate` leaves in SLIPWAY_ACTIVE the clone that it belongs to, and in SLIPWAY_ACTIVATED what it set, as
# lines of NAME=value. Takes that away again; what a person set, before or since, stays.
forget_activation() {
  local line name ours="${SLIPWAY_ACTIVE:-}"
  while IFS= read -r line; do
    name=${line%%=*}
    case $name in '' | *[!A-Z_]*) continue ;; esac
    [ "${!name-}" != "${line#*=}" ] || unset "$name"
  done <<<"${SLIPWAY_ACTIVATED:-}"
  if [ -n "$ours" ]; then
    PATH=":$PATH:"
    PATH=${PATH//":$ours/.venv/bin:"/:}
    [ -z "${SLIPWAY_ACTIVE_ENGINE:-}" ] || PATH=${PATH//":$SLIPWAY_ACTIVE_ENGINE:"/:}
    PATH=${PATH#:}
    PATH=${PATH%:}
  fi
  unset SLIPWAY_ACTIVE SLIPWAY_ACTIVATED SLIPWAY_ACTIVE_ENGINE
}

# The root of the project that `pulumi` would work on in this folder, with these words.
pulumi_project_folder() (
  while [ "$#" -gt 0 ]; do
    case $1 in
      -C | --cwd) cd "${2:-.}" 2>/dev/null || true ;;
      --cwd=*) cd "${1#--cwd=}" 2>/dev/null || true ;;
    esac
    shift
  done
  while [ ! -f Pulumi.yaml ] && [ "$PWD" != / ]; do cd .. || return; done
  pwd
)
