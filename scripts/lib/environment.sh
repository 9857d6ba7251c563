# shellcheck shell=bash
# Where everything is. Sourced by the scripts and by `scripts/activate`; changes nothing but variables.

SLIPWAY_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

. "$SLIPWAY_ROOT/scripts/lib/activation.sh"

# A script works on its own clone: what another clone's `scripts/activate` has set in this shell is not for it.
if [ -n "${SLIPWAY_ACTIVE:-}" ] && [ ! "$SLIPWAY_ACTIVE" -ef "$SLIPWAY_ROOT" ]; then forget_activation; fi

# State of this clone: stacks, passphrase, plugins, the local cloud. Never committed.
SLIPWAY_HOME="${SLIPWAY_HOME:-$SLIPWAY_ROOT/.slipway}"
# What is dear to make and the same for every clone: the engine, host images, packages.
SLIPWAY_CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/slipway"
export SLIPWAY_ROOT SLIPWAY_HOME SLIPWAY_CACHE

# A folder may have characters in its name that mean something in a URL (RFC 3986).
path_in_a_url() {
  local path=${1//'%'/%25}
  path=${path//'?'/%3F}
  path=${path//'#'/%23}
  printf '%s' "${path//' '/%20}"
}

use_slipway_environment() {
  # The virtual environment comes first: the language host takes `python3` from PATH.
  local ours="$SLIPWAY_ROOT/.venv/bin:$SLIPWAY_HOME/engine/bin:"
  case $PATH in "$ours"*) ;; *) PATH="$ours$PATH" ;; esac
  export PATH
  # Plugins are kept with the clone, so that two clones never share a stand-in.
  export PULUMI_HOME="$SLIPWAY_HOME/pulumi"
  # A backend or passphrase that a team has chosen is left alone. Ours goes without the engine's side files
  # (*.attrs): they are not written in one step, and one that a kill cuts short makes the stack unreadable.
  export PULUMI_BACKEND_URL="${PULUMI_BACKEND_URL:-file://$(path_in_a_url "$SLIPWAY_HOME")?metadata=skip}"
  if [ -z "${PULUMI_CONFIG_PASSPHRASE+set}" ]; then
    export PULUMI_CONFIG_PASSPHRASE_FILE="${PULUMI_CONFIG_PASSPHRASE_FILE:-$SLIPWAY_HOME/passphrase}"
  fi
  # The salt of a stack is also in its state: a stack file without it is still readable.
  export PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER=true
  export PULUMI_SKIP_UPDATE_CHECK=true
  # The history keeps a copy of the state of each update: a second one of each is not written.
  export PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS=true
  # Where no input has changed, a plugin is not asked what has: an eighth of an update that changes nothing on many
  # servers. What a refresh finds comes with changed inputs.
  export PULUMI_ENABLE_LEGACY_DIFF=true
  # The language host lists the packages with pip in every run, and pip would ask for its own new version.
  export PIP_DISABLE_PIP_VERSION_CHECK=1
  # The one that is built here is content with less.
  case $(readlink "$SLIPWAY_HOME/engine/bin") in
    */built-*) export PULUMI_PYTHON_CMD="$SLIPWAY_ROOT/scripts/lib/python-for-the-language-host" ;;
  esac
}
