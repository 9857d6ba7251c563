# shellcheck shell=bash
# Runs a command of the program in cli/, with this clone's own environment. Sourced by scripts/<name>.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

# Where nothing is set up yet, this machine's own Python shows help, refuses wrong words, and sets all up.
# usage: run_command NAME WORDS…
run_command() {
  use_slipway_environment
  cd "$SLIPWAY_ROOT"
  exec python3 -m cli "$@"
}
