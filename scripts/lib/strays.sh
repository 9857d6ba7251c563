# shellcheck shell=bash
# Droplets and load balancers of the environment that its state does not know, around an update. Sourced after
# tiers.sh.

# Those in `strays` (take_destroy) are destroyed; an update that would make another one beside the rest is refused,
# and one that takes web servers away with files of the application, but for those in `leaving`.
# shellcheck disable=SC2154 # take_destroy and read_arguments set them
refuse_losses() {
  known_before=''
  if has_own_hosts; then
    set -- "${strays[@]}" "${leaving[@]}"
    [ "$#" -eq 0 ] || fail "--destroy is $*: must be db, for $stack has servers of its own"
  elif [ "$only" = db ]; then # the web servers stay as they are
    known_before=$(python3 -m scripts.commands.strays before "$stack" "${strays[@]}")
  else
    known_before=$(python3 -m scripts.commands.before_update "$stack" "${leaving[@]}" "${strays[@]}")
  fi
}

# After an update that ended with STATUS: names what there is by now.
# usage: tell_strays STATUS
tell_strays() {
  local known=()
  if has_own_hosts; then return 0; fi
  read -r -a known <<<"$known_before" || true
  python3 -m scripts.commands.strays after "$stack" "$1" "${known[@]}" || true
}
