# shellcheck shell=bash
# Databases that are new or were restored since their release command ran: it runs again. Sourced after stack.sh.

# Beside the update, so that nobody waits for it.
# shellcheck disable=SC2154 # stack.sh sets it
look_at_databases() {
  databases_seen="$SLIPWAY_HOME/databases-$stack"
  python3 -m scripts.commands.another_database look "$stack" >"$databases_seen" 2>/dev/null &
  databases_look=$!
}

# After an update that ended with STATUS: another one, where a database was found to be another one and that update
# has not seen to it, whose status counts then: the first one may have failed for want of the tables.
# usage: update_for_other_databases STATUS [pulumi options…]
update_for_other_databases() {
  local status=$1 seen names
  shift
  wait "$databases_look" || true
  seen=$(<"$databases_seen")
  rm -f "$databases_seen"
  [ -n "$seen" ] && [ "$status" -le 128 ] || return "$status" # above: Ctrl-C
  names=$(python3 -m scripts.commands.another_database same "$stack" "$seen") || return 1
  [ -n "$names" ] || return "$status"
  say "$stack: the database ${names//$'\n'/, } is new or was restored since the release command ran: it runs again"
  SLIPWAY_DATABASE_EPOCH=$(date -u +%FT%TZ)
  export SLIPWAY_DATABASE_EPOCH
  update_stack "$@"
}
