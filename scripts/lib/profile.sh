# shellcheck shell=bash disable=SC2154 # what scripts/up sets
# An update whose steps are written down while it runs. Sourced after stack.sh.

# Before the plugins start, for they write their parts.
begin_timeline() {
  (umask 077 && mkdir -p "$SLIPWAY_HOME")
  # The engine's trace holds whole requests, and those hold secrets: it goes as soon as it is read.
  notes=$(mktemp -d "$SLIPWAY_HOME/timeline.XXXXXX")
  trap 'rm -rf "$notes"' EXIT
  export SLIPWAY_TIMELINE="$notes/parts"
}

# `update_stack`, and then the drawing; its exit status, whatever became of the drawing.
# usage: update_with_timeline [pulumi options…], after begin_timeline, with `began` (seconds since the epoch)
update_with_timeline() {
  local status=0 drawing="$SLIPWAY_HOME/timeline-$stack.svg"
  export PULUMI_OPTION_OTEL_TRACES="file://$notes/trace"
  await_program
  # In a shell of its own, which cannot end the program.
  { unset program_id; update_stack "$@"; } | tee "$notes/said" || status=$?
  end_program
  unset PULUMI_OPTION_OTEL_TRACES SLIPWAY_TIMELINE
  if python3 -m scripts.commands.timeline_of "$notes" "$stack" "$began" "$drawing"; then
    say "$stack: where the time went: $drawing"
  fi
  return "$status"
}
