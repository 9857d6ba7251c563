# shellcheck shell=bash
# The program of an update and its plugins, started before the engine asks for them: they get ready while the rest
# does, which takes half a second off every update. Sourced by stack.sh.

program=() # options of `pulumi up` that run it

# Once the environment is what the program is to find. Where it does not come so far, the engine starts all of it
# as ever, and says what is wrong.
start_program() {
  local plugins=() each path
  for each in command $(has_own_hosts || echo digitalocean); do
    for path in "$PULUMI_HOME/plugins/resource-$each"-v*/"pulumi-resource-$each"; do
      [ ! -x "$path" ] || plugins+=("$path")
    done
  done
  program_folder=$(mktemp -d)
  # Where we are killed, its standard input ends, and so does it.
  coproc PROGRAM { exec python3 -m scripts.commands.ready_program "$program_folder/socket" "${plugins[@]}"; }
  program_out=${PROGRAM[0]} program_in=${PROGRAM[1]} program_id=$PROGRAM_PID
}

await_program() {
  local ready='' ports=''
  if [ -z "${program_id:-}" ] || [ "${#program[@]}" -gt 0 ]; then return 0; fi
  read -r -u "$program_out" ready ports || true
  [ "$ready" = ready ] || return 0
  program=("--client=unix://$program_folder/socket")
  if [ -n "$ports" ]; then export PULUMI_DEBUG_PROVIDERS=$ports; fi
}

# It serves one update only.
end_program() {
  [ -n "${program_id:-}" ] || return 0
  trap '' PIPE # it may have ended by itself
  { echo end >&"$program_in"; } 2>/dev/null || true
  trap - PIPE
  exec {program_in}>&- {program_out}<&-
  wait "$program_id" || true
  rm -rf "$program_folder"
  unset PULUMI_DEBUG_PROVIDERS
  program=() program_id=''
}
