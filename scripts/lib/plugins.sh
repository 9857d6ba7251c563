# shellcheck shell=bash
# Installs the two provider plugins: the official ones where they can be had, else the stand-ins of
# local_cloud/plugins under the same name and version.

plugin_version() { sed -n "s/^pulumi-$1==\([0-9.]*\).*/\1/p" "$SLIPWAY_ROOT/requirements.lock"; }

# A stand-in is a script that starts ours.
is_stand_in() { grep -qsF local_cloud/plugins "$PULUMI_HOME/plugins/resource-$1-v$2/pulumi-resource-$1"; }

set_up_plugin() {
  local name=$1 version how
  version=$(plugin_version "$name")
  # SLIPWAY_PLUGINS=stand-in skips the question (it costs seconds where there is no network).
  if [ "${SLIPWAY_PLUGINS:-}" != stand-in ] &&
    timeout 300 pulumi plugin install resource "$name" "$version" >/dev/null 2>&1 &&
    ! is_stand_in "$name" "$version"; then
    how="official"
  else
    python3 -m local_cloud.plugins.install "$name" "$version" ||
      fail "plugin $name: the official one cannot be reached and the stand-in could not be installed"
    how="the stand-in of local_cloud/plugins (the official one cannot be reached)"
  fi
  say "plugin $name $version: $how"
}
