# shellcheck shell=bash
# One tier of an environment alone (--only). Sourced after stack.sh.

# Takes --only TIER out of `words`: sets `only` to web or db, or to nothing.
take_only() {
  local word rest=() given='' awaited=''
  only=''
  for word in "${words[@]}"; do
    if [ -n "$awaited" ]; then
      only=$word awaited=''
    elif [ "$word" = --only ]; then
      given=yes awaited=yes
    else
      rest+=("$word")
    fi
  done
  words=("${rest[@]}")
  case $given$only in '' | yesweb | yesdb) ;; *) fail "--only is '$only': must be web or db" ;; esac
}

# Takes each --destroy WHAT out of `words`. db: the program refuses what would destroy that server, but for this
# word. An id, of a droplet or load balancer that the state does not know, goes into `strays`; a web server that
# leaves with files of the application goes into `leaving`.
take_destroy() {
  local word rest=() awaited=''
  strays=() leaving=()
  for word in "${words[@]}"; do
    if [ -n "$awaited" ]; then
      case $word in
        db) export SLIPWAY_DESTROY=$word ;;
        web-*) leaving+=("$word") ;;
        [0-9]* | *-*-*-*-*) strays+=("$word") ;;
        *) fail "--destroy is '$word': must be db, a web server that leaves, or an id that scripts/status shows" ;;
      esac
      awaited=''
    elif [ "$word" = --destroy ]; then
      awaited=yes
    else
      rest+=("$word")
    fi
  done
  [ -z "$awaited" ] || fail "--destroy needs a word: must be db, a web server that leaves, or an id that scripts/status shows"
  words=("${rest[@]}")
}

# What was named may be destroyed, and at a terminal somebody sees what would be, and types the name of the
# environment. Where the engine protects it, that is lifted; the update protects what is there afterwards.
# shellcheck disable=SC2154 # read_arguments sets stack
ask_before_destroying() {
  local answer lifted
  [ -n "${SLIPWAY_DESTROY:-}" ] || return 0
  mapfile -t lifted < <(python3 -m scripts.commands.protection lift "$stack")
  [ -t 0 ] && [ -t 2 ] || return 0
  answer=''
  if pulumi preview --stack "$stack" --suppress-outputs "$@"; then
    printf 'This may destroy the server %s of %s with all its data. Type %s to go on: ' \
      "$SLIPWAY_DESTROY" "$stack" "$stack" >&2
    read -r answer || true
  fi
  [ "$answer" != "$stack" ] || return 0
  python3 -m scripts.commands.protection give "$stack" "${lifted[@]}"
  fail "nothing was changed"
}

# Options of `pulumi up`, one a line, that leave out the other tier: what is there of it stays as it is, and
# what is not there is not made yet. A resource's name says whose it is.
options_of_tier() {
  case $only in
    db)
      printf '%s\n' '--exclude=**::web' '--exclude=**::web-*' '--exclude=**::release' '--exclude=**::release-*' '--exclude-dependents'
      ;;
    web)
      printf '%s\n' '--exclude=**::db' '--exclude=**::db-*' '--exclude=**::database' '--exclude=**::database-*'
      ;;
  esac
}

# Web servers are made with the address and the password of a database.
# shellcheck disable=SC2154 # read_arguments sets stack
require_database() {
  [ "$only" != web ] || stack_output db >/dev/null 2>&1 ||
    fail "$stack has no database yet, and its web servers need one: scripts/up $stack --only db makes it"
}
