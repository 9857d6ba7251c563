# shellcheck shell=bash
# How the scripts talk: progress and errors on standard error, colour on a terminal only.

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
  dim=$'\e[2m' red=$'\e[31m' plain=$'\e[0m' on_terminal=yes
else
  dim='' red='' plain='' on_terminal=''
fi

say() { printf '%s\n' "${dim}slipway:${plain} $*" >&2; }

# A script whose exit status says more sets fail_status.
fail() {
  printf '%s\n' "${red}slipway: $*${plain}" >&2
  exit "${fail_status:-1}"
}

# Prints the comment block at the top of a script, which is its help.
print_help() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$1"; }

# Reads one line for each unit of work and shows how far it is: in place on a terminal, else each tenth.
# usage: … | show_progress "what it does" TOTAL
show_progress() {
  local what=$1 total=$2 count=0 tenth=0
  while IFS= read -r _; do
    count=$((count + 1))
    [ "$total" -ge "$count" ] || total=$count
    if [ -n "$on_terminal" ]; then
      printf '\r%s %s %d/%d ' "${dim}slipway:${plain}" "$what" "$count" "$total" >&2
    elif [ $((count * 10 / total)) -gt "$tenth" ]; then
      tenth=$((count * 10 / total))
      say "$what $count/$total"
    fi
  done
  [ -z "$on_terminal" ] || [ "$count" -eq 0 ] || printf '\n' >&2
}
