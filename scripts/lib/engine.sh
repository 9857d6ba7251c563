# shellcheck shell=bash
# Finds or makes the Pulumi engine and its Python language host, and links them into
# $SLIPWAY_HOME/engine/bin. In order: one already installed, the official download, a build of the pinned
# Go modules in tools/, which is kept in the per-user cache.

oldest_fitting_engine=3.200.0

# The engine that belongs to the locked SDK: what the official download is asked for.
official_engine_version() { sed -n 's/^pulumi==\([0-9.]*\).*/\1/p' "$SLIPWAY_ROOT/requirements.lock"; }

built_engine_version() { sed -n 's/.*pulumi\/sdk\/v3 v\([0-9.]*\).*/\1/p' "$SLIPWAY_ROOT/tools/engine/go.mod" | head -n 1; }

is_fitting_engine() {
  local version
  version=$("$1" version 2>/dev/null | sed 's/^v//;s/[-+].*//') || return 1
  case $version in 3.*) ;; *) return 1 ;; esac
  [ "$(printf '%s\n' "$oldest_fitting_engine" "$version" | sort -V | head -n 1)" = "$oldest_fitting_engine" ]
}

# A person's own pulumi, not one that this project put on PATH.
installed_engine() {
  local folder
  while IFS= read -r -d : folder; do
    case $folder in "$SLIPWAY_HOME"/* | '') continue ;; esac
    if [ -x "$folder/pulumi" ] && [ -x "$folder/pulumi-language-python" ] && is_fitting_engine "$folder/pulumi"; then
      printf '%s\n' "$folder"
      return 0
    fi
  done <<<"$PATH:"
  return 1
}

download_engine() {
  local version system machine target
  version=$(official_engine_version)
  system=$(uname -s | tr '[:upper:]' '[:lower:]')
  case $(uname -m) in x86_64) machine=x64 ;; aarch64 | arm64) machine=arm64 ;; *) return 1 ;; esac
  target="$SLIPWAY_CACHE/engine/official-$version"
  if [ ! -d "$target" ]; then
    command -v curl >/dev/null || return 1
    say "engine: asking for the official download of pulumi $version"
    mkdir -p "$target.part"
    if ! curl --fail --silent --show-error --location --connect-timeout 5 --max-time 300 \
      "https://get.pulumi.com/releases/sdk/pulumi-v$version-$system-$machine.tar.gz" 2>/dev/null |
      tar -xz -C "$target.part" --strip-components=1 2>/dev/null; then
      rm -rf "$target.part"
      return 1
    fi
    mv -T "$target.part" "$target"
  fi
  printf '%s\n' "$target"
}

# Builds the `tool` of one go.mod under tools/ into a folder, with progress.
build_tool() {
  local module=$1 target=$2 flags=$3 total
  say "engine: downloading the Go modules of tools/$module (once for this user)"
  # Only what the tool needs: `go mod download` would also ask for modules that a proxy may not have.
  total=$(cd "$SLIPWAY_ROOT/tools/$module" && go list -deps tool | wc -l)
  (cd "$SLIPWAY_ROOT/tools/$module" &&
    GOFLAGS=-mod=readonly GOBIN="$target" go install -v -ldflags "-s -w $flags" tool 2>&1) |
    tee "$target/$module.log" | show_progress "engine: compiling tools/$module, package" "$total"
  [ "${PIPESTATUS[0]}" -eq 0 ] || {
    tail -n 20 "$target/$module.log" >&2
    return 1
  }
  rm -f "$target/$module.log"
}

build_engine() {
  local version target pins host_source
  version=$(built_engine_version)
  pins=$(cat "$SLIPWAY_ROOT"/tools/{engine,language}/go.mod | sha256sum | cut -c1-12)
  target="$SLIPWAY_CACHE/engine/built-$version-$pins"
  if [ ! -d "$target" ]; then
    command -v go >/dev/null ||
      fail "no pulumi is installed, its download site cannot be reached, and there is no Go to build it: install pulumi (>= $oldest_fitting_engine, < 4) or Go (>= 1.26)"
    local part="$target.part.$$"
    mkdir -p "$part"
    # shellcheck disable=SC2064 # the folder of now
    trap "rm -rf '$part'" EXIT
    build_tool engine "$part" "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v$version" ||
      fail "the engine could not be built; see above"
    build_tool language "$part" '' || fail "the language host could not be built; see above"
    host_source=$(cd "$SLIPWAY_ROOT/tools/language" && go list -m -f '{{.Dir}}' github.com/pulumi/pulumi/sdk/v3)
    install -m 755 "$host_source/python/cmd/pulumi-language-python-exec" "$part/"
    # Another clone may have been quicker; either result is the same.
    mv -T "$part" "$target" 2>/dev/null || [ -d "$target" ]
    trap - EXIT
  fi
  printf '%s\n' "$target"
}

# Leaves $SLIPWAY_HOME/engine/bin and one line that says what was used.
set_up_engine() {
  local folder how
  if folder=$(installed_engine); then
    how="the installed one"
  elif folder=$(download_engine); then
    how="the official download"
  elif folder=$(build_engine); then
    how="built from the Go modules pinned in tools/"
  else
    exit 1
  fi
  mkdir -p "$SLIPWAY_HOME/engine"
  ln -sfn "$folder" "$SLIPWAY_HOME/engine/bin"
  say "engine: pulumi $("$folder/pulumi" version), $how"
}

# The engine writes a log of each run, with everything that it does and knows, secrets included (they are encrypted
# as soon as it has the key), and spends a third of its time on that. It goes without where there is no folder for it.
leave_out_the_log() {
  [ ! -f "$PULUMI_HOME/logs" ] || return 0
  rm -rf "$PULUMI_HOME/logs"
  echo "Here would be the logs of the engine's runs (docs/performance.md). Without this file they are written." >"$PULUMI_HOME/logs"
}
