# shellcheck shell=bash
# Secrets of this clone: made here, and kept out of git.

# Random text that only this user can read: the passphrase of this clone's stacks, the local cloud's token.
make_secret() {
  [ -s "$1" ] || (umask 077 && mkdir -p "$(dirname "$1")" && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$1.part" && mv "$1.part" "$1")
}

# A passphrase of one clone gives a salt of one clone: git is told not to see that line of Pulumi.local.yaml.
hide_local_salt_from_git() {
  git -C "$SLIPWAY_ROOT" rev-parse --git-dir >/dev/null 2>&1 || return 0
  git -C "$SLIPWAY_ROOT" config filter.slipway-local-salt.clean "sed '/^encryptionsalt:/d'"
}
