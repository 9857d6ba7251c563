# Installs missing packages and reports progress. Safe to repeat, also after an interruption.
set -eu
export DEBIAN_FRONTEND=noninteractive

# Those of the packages that are not fully installed. dpkg-query prints nothing for unknown ones.
missing_packages() {
  dpkg-query -W -f '{% raw %}${db:Status-Abbrev} ${Package}\n{% endraw %}' {{ packages | join(' ') }} 2>/dev/null |
    awk '$1 == "ii" { have[$2] = 1 } END { n = split("{{ packages | join(' ') }}", want, " ")
      for (i = 1; i <= n; i++) if (!(want[i] in have)) printf "%s ", want[i] }'
}

missing=$(missing_packages)
if [ -n "$missing" ]; then
  echo "packages: fetching the lists"
  # An earlier run that was killed may have left dpkg half done, or may still be running.
  patience=300
  until complaint=$(dpkg --configure -a 2>&1 >/dev/null); do
    case $complaint in *lock*) ;; *) patience=0 ;; esac
    if [ "$patience" -eq 0 ]; then
      printf '%s\n' "$complaint" >&2
      exit 1
    fi
    [ "$patience" -lt 300 ] || echo "packages: another installation is at work"
    patience=$((patience - 1))
    sleep 1
  done
  # DPkg::Lock::Timeout does not cover the lock of the lists.
  patience=300
  until complaint=$(apt-get update -qq -o DPkg::Lock::Timeout=300 2>&1 >/dev/null); do
    case $complaint in *lists/lock*) ;; *) patience=0 ;; esac
    if [ "$patience" -eq 0 ]; then
      printf '%s\n' "$complaint" >&2
      exit 1
    fi
    [ "$patience" -lt 300 ] || echo "packages: another installation is at work"
    patience=$((patience - 1))
    sleep 1
  done
  echo "packages: installing $missing"
  complaints=$(mktemp)
  trap 'rm -f "$complaints"' EXIT
  # shellcheck disable=SC2086 # words
  apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 -o APT::Status-Fd=3 $missing \
    3>&1 >/dev/null 2>"$complaints" | awk -F: '
      $1 == "dlstatus" { step = int($3 / 25); if (step != got) { got = step; print "packages: downloaded " step * 25 " %" } }
      $1 == "pmstatus" { step = int($3 / 25); if (step != set) { set = step; print "packages: set up " step * 25 " %" } }
      { fflush() }'
  wanted=$missing
  # The pipe hides apt's exit status, so check that everything is there.
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
