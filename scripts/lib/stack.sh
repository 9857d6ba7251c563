# shellcheck shell=bash
# What the scripts do with one environment (a stack). Sourced after environment.sh and say.sh.
. "$SLIPWAY_ROOT/scripts/lib/program.sh"

# Reads "[stack] …": sets `stack` (default local) and leaves the rest in `words`.
# usage: read_arguments "$0" "$@"
read_arguments() {
  local script=$1
  shift
  case "${1:-}" in
    --help | -h) print_help "$script"; exit 0 ;;
    -* | '') stack=local ;;
    *) stack=$1; shift ;;
  esac
  # shellcheck disable=SC2034 # the calling script reads them
  words=("$@")
  cd "$SLIPWAY_ROOT" || exit 1
  [ -f "Pulumi.$stack.yaml" ] || fail "there is no environment '$stack': must be one of $(environments) (Pulumi.<name>.yaml)"
}

environments() {
  local file names=''
  for file in "$SLIPWAY_ROOT"/Pulumi.*.yaml; do
    file=${file##*/Pulumi.}
    names="$names ${file%.yaml}"
  done
  printf '%s' "${names# }"
}

# Refuses words that a script has no use for.
no_more_words() { [ "$#" -eq 0 ] || fail "unknown argument '$1' (see --help)"; }

# Takes a flag out of `words`: sets the variable of its name to --<name>, or to nothing.
# usage: take_flag NAME
take_flag() {
  local word rest=()
  printf -v "$1" ''
  for word in "${words[@]}"; do
    if [ "$word" = "--$1" ]; then printf -v "$1" %s "$word"; else rest+=("$word"); fi
  done
  words=("${rest[@]}")
}

# The DigitalOcean endpoint of an environment when it is this machine: that is, the local cloud. Else empty.
# usage: local_endpoint [stack]
local_endpoint() {
  sed -nE 's#^ *digitalocean:apiEndpoint: *"?(http://(127\.0\.0\.1|localhost):[0-9]+).*#\1#p' "Pulumi.${1:-$stack}.yaml"
}

# The other stacks of this clone that are in the local cloud too; one name a line.
other_local_stacks() {
  local file other
  for file in "$SLIPWAY_HOME/.pulumi/stacks"/*/*.json; do
    other=$(basename "$file" .json)
    [ "$other" != "$stack" ] && [ -f "Pulumi.$other.yaml" ] && [ -n "$(local_endpoint "$other")" ] && printf '%s\n' "$other"
  done
  return 0
}

# The ports of 127.0.0.1 that the stack wants: a taken one is said before anything is changed.
# One that is no port is left to the settings, which say what is allowed.
forwarded_ports() {
  sed -nE 's#^ *'"$(project_name)"':local(Web|Db)Port: *"?([0-9]{1,5})"?.*#\2#p' "Pulumi.$stack.yaml" | awk '$1 >= 1 && $1 <= 65535'
}

# Whether the stack's servers are there already, so that nothing is asked of DigitalOcean.
has_own_hosts() { grep -qE '^ *([a-z][a-z0-9-]*:)?dbHost: *["'\'']?[^ "'\'']' "Pulumi.$stack.yaml"; }

# The local cloud gets its own token, whatever the environment holds for DigitalOcean.
use_local_token() {
  DIGITALOCEAN_TOKEN=$(<"$SLIPWAY_HOME/local-cloud/token")
  export DIGITALOCEAN_TOKEN
}

local_cloud() { python3 -m local_cloud "$1" --state "$SLIPWAY_HOME/local-cloud" "${@:2}"; }

# The local cloud, with the stack's forwarded ports. Where the process that runs was asked for the same before,
# Python does not start to find that out.
# usage: start_local_cloud PORT
start_local_cloud() {
  local asked="$SLIPWAY_HOME/local-cloud.asked" process
  # shellcheck disable=SC2046 # words
  set -- --port "$1" $(forwarded_ports | sed 's/^/--forward /')
  process=$(local_cloud_process)
  if [ -n "$process" ] && [ -f "$asked" ] && [ "$(<"$asked")" = "$process $*" ]; then return 0; fi
  local_cloud start "$@" >&2
  echo "$(local_cloud_process) $*" >"$asked"
}

# The id of the process of this clone's local cloud; nothing where none runs.
local_cloud_process() {
  local process='' folder="$SLIPWAY_HOME/local-cloud"
  read -r process 2>/dev/null <"$folder/lock" || true
  [ -n "$process" ] || return 0
  case $(tr '\0' ' ' 2>/dev/null <"/proc/$process/cmdline") in *" serve --state $folder "*) echo "$process" ;; esac
}

# Set-up, the local cloud where the stack is on it, and the stack itself.
# usage: prepare_stack [update]    (where an update is to follow)
prepare_stack() {
  local endpoint
  "$SLIPWAY_ROOT/scripts/setup"
  use_slipway_environment
  endpoint=$(local_endpoint)
  [ -z "$endpoint" ] || use_local_token
  [ "${1:-}" != update ] || start_program
  if [ -n "$endpoint" ]; then
    start_local_cloud "${endpoint##*:}"
  elif has_own_hosts; then
    :
  elif [ -z "${DIGITALOCEAN_TOKEN:-}" ] && ! grep -q 'digitalocean:token' "Pulumi.$stack.yaml"; then
    fail "no DigitalOcean token for '$stack': set DIGITALOCEAN_TOKEN, or pulumi config set --secret digitalocean:token"
  fi
  ensure_stack
}

# Where the file backend keeps the stack.
state_file() { printf '%s' "$SLIPWAY_HOME/.pulumi/stacks/$(project_name)/$stack.json"; }

# Looking into the backend's folder is 100 times quicker than asking the engine.
ensure_stack() {
  [ -f "$(state_file)" ] && [ "${PULUMI_BACKEND_URL%%\?*}" = "file://$SLIPWAY_HOME" ] && return 0
  pulumi stack select "$stack" >/dev/null 2>&1 && return 0
  forget_foreign_salt
  pulumi stack init "$stack" >/dev/null || fail "the stack '$stack' could not be made; see above"
  remember_salt
  show_git_the_new_size
}

# The salt that was added is filtered out of what git sees (.gitattributes), but by the file's size alone git
# would call it modified until it has looked once more.
show_git_the_new_size() {
  if git diff --quiet -- "Pulumi.$stack.yaml" 2>/dev/null; then
    git add -- "Pulumi.$stack.yaml" 2>/dev/null || true
  fi
}

# The salt in the stack's file: what its secrets were encrypted with, beside the passphrase.
salt() { sed -n 's/^encryptionsalt: *//p' "Pulumi.$stack.yaml"; }

# Where the salts are noted that belong to this clone's passphrase.
known_salts() { printf '%s' "$SLIPWAY_HOME/salts"; }

# The secrets in the stack's file outlive its servers and its state: so does the salt that opens them.
remember_salt() {
  [ "$stack" = local ] && [ -n "$(salt)" ] || return 0
  grep -qxF -- "$(salt)" "$(known_salts)" 2>/dev/null || salt >>"$(known_salts)"
}

# A salt that came with the file belongs to another clone's passphrase: nothing here could open it.
forget_foreign_salt() {
  [ "$stack" = local ] && [ -n "$(salt)" ] || return 0
  grep -qxF -- "$(salt)" "$(known_salts)" 2>/dev/null || sed -i '/^encryptionsalt:/d' "Pulumi.$stack.yaml"
}

# Whether the engine's file backend holds a lock of the stack: Python starts only to look into one.
is_locked() {
  local folder=${PULUMI_BACKEND_URL#file://}
  compgen -G "${folder%%\?*}/.pulumi/locks/*/*/$stack/*.json" >/dev/null
}

# Goes on once nobody else updates the stack: says who does, or waits where `wait` says so.
await_turn() { ! is_locked || python3 -m scripts.commands.update_lock "$stack" ${wait:+"$wait"}; }

# `pulumi up`, after `take_flag wait`.
# usage: update_stack [pulumi options…]
update_stack() {
  local status=0 events="$SLIPWAY_HOME/events-$stack"
  await_turn || return 1
  await_program
  until engine_update --event-log "$events" "$@"; do
    end_program
    # Somebody who waited too may have been quicker.
    if [ -z "$wait" ] || ! is_locked || ! await_turn; then
      status=1
      python3 -m scripts.commands.failure "$stack" "$events"
      break
    fi
  done
  rm -f "$events"
  end_program
  return "$status"
}

# The event log is one of the engine's debug options. What is secret is not in there, what a command says is.
engine_update() (
  umask 077
  PULUMI_DEBUG_COMMANDS=true pulumi up --stack "$stack" --yes --skip-preview --suppress-outputs "${program[@]}" "$@"
)

# Asks for every site from outside, and prints the address; ends with a reason where a visitor is not served well.
ask_as_a_visitor() { python3 -m scripts.commands.visit "$stack"; }

# Prints one output of the last good update.
stack_output() { python3 -m scripts.commands.output "$stack" "$1"; }

# The release that the stack is held on since it was rolled back; else empty.
held_release() { sed -nE "s/^ *$(project_name):release: *[\"']?([0-9a-f]+).*/\1/p" "Pulumi.$stack.yaml"; }

# The stack, or one of its further sites.
is_held_on_a_release() { grep -qE "^[ -]*($(project_name):)?release:" "Pulumi.$stack.yaml"; }
