# Installs missing packages (RHEL family). Safe to repeat, also after an interruption.
set -eu

missing_packages() {
  for package in {{ packages | join(' ') }}; do
    rpm --quiet -q "$package" || printf '%s ' "$package"
  done
}

missing=$(missing_packages)
if [ -n "$missing" ]; then
  echo "packages: installing $missing"
  wanted=$missing
  complaints=$(mktemp)
  trap 'rm -f "$complaints"' EXIT
  # shellcheck disable=SC2086 # words
  dnf install -y -q --setopt=install_weak_deps=False $missing >"$complaints" 2>&1 || true
  missing=$(missing_packages)
  if [ -n "$missing" ]; then
    cat "$complaints" >&2
    echo "packages: could not install $missing" >&2
    exit 1
  fi
  slipway-note packages "${wanted% }" || :
fi
# The packages that scripts/status expects.
records=${SLIPWAY_RECORDS:-/var/lib/slipway}
mkdir -p "$records"
printf '%s\n' {{ packages | join(' ') }} >"$records/packages.new"
mv -f "$records/packages.new" "$records/packages"
{% for command in afterwards %}
{{ command }}
{% endfor %}
echo "packages: ready"
