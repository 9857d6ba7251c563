# Creates the user {{ user }}, as cloud-init does on a droplet. Runs as root; safe to repeat.
set -eu
export DEBIAN_FRONTEND=noninteractive
if ! command -v sudo >/dev/null || ! command -v python3 >/dev/null; then
  echo "installing sudo and python3" >&2
  if command -v apt-get >/dev/null; then
    # DPkg::Lock::Timeout does not cover the lock of the lists.
    patience=300
    until complaint=$(apt-get update -qq -o DPkg::Lock::Timeout=300 2>&1 >/dev/null); do
      case $complaint in *lists/lock*) ;; *) patience=0 ;; esac
      if [ "$patience" -eq 0 ]; then
        printf '%s\n' "$complaint" >&2
        exit 1
      fi
      [ "$patience" -lt 300 ] || echo "another installation is at work" >&2
      patience=$((patience - 1))
      sleep 1
    done
    apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 sudo python3 >/dev/null
  else
    dnf install -y -q sudo python3 >/dev/null
  fi
fi
mkdir -p /etc/slipway
if ! getent passwd {{ user }} >/dev/null; then
  # Slipway removes the user only if it created it.
  touch /etc/slipway/made-deploy-user
  useradd --create-home --shell /bin/bash {{ user }}
fi
home=$(getent passwd {{ user }} | cut -d: -f6)
install -d -m 0700 -o {{ user }} -g {{ user }} "$home/.ssh"
keys=$home/.ssh/authorized_keys
touch "$keys"
{ grep -v ' slipway$' "$keys" || true; echo {{ key | quote }}; } >"$keys.new"
chmod 0600 "$keys.new"
chown {{ user }}:{{ user }} "$keys.new"
mv -f "$keys.new" "$keys"
if command -v restorecon >/dev/null; then restorecon -R "$home/.ssh"; fi
echo '{{ user }} ALL=(ALL) NOPASSWD:ALL' >/etc/slipway/sudoers.new
chmod 0440 /etc/slipway/sudoers.new
visudo -cqf /etc/slipway/sudoers.new
mv -f /etc/slipway/sudoers.new /etc/sudoers.d/slipway
if command -v restorecon >/dev/null; then restorecon /etc/sudoers.d/slipway; fi
# For slipway-remove: the user goes last, after the session that logged in as it has ended.
mkdir -p /var/lib/slipway/undo
cat >/var/lib/slipway/undo/000-{{ user }} <<END
sed -i '/ slipway\$/d' "$home/.ssh/authorized_keys"
systemd-run --quiet --collect --on-active=2 sh -c "rm -f /etc/sudoers.d/slipway$(
  [ ! -e /etc/slipway/made-deploy-user ] || echo '; userdel --force --remove {{ user }}'
)"
END
# The server's owner may have restricted who can log in.
allowed=$(sshd -T 2>/dev/null | sed -n 's/^allowusers //p' | tr '\n' ' ')
case " $allowed " in
  '  ' | *' {{ user }} '*) ;;
  *) echo "sshd lets only these in: ${allowed}(AllowUsers): add {{ user }}" >&2; exit 1 ;;
esac
