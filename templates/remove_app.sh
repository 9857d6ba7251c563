# Removes what releasectl and prepare_app.sh created for the application {{ app }}.
# Its database stays, and so do files in shared/, with the user that owns them.
set -u
app={{ app | quote }}
quietly() { "$@" >/dev/null 2>&1 || true; }
for unit in $(systemctl list-units --all --plain --no-legend "$app@*.service" \
  "$app-drain*" "$app-revert-*" "$app-close-old-port*" | awk '{ print $1 }'); do
  quietly systemctl stop "$unit"
  quietly systemctl disable "$unit"
done
if [ -d /etc/supervisor/conf.d ]; then
  rm -f "/etc/supervisor/conf.d/$app"@*.conf
  quietly supervisorctl update
fi
rm -f "/etc/systemd/system/$app@"*.service "/etc/systemd/system/multi-user.target.wants/$app@"*.service
quietly systemctl daemon-reload

[ ! -d {{ root }} ] || find {{ root }} -mindepth 1 -maxdepth 1 ! -name shared -exec rm -rf {} +
rm -rf "/run/$app" {{ configuration }}
quietly gpasswd --delete {{ web_user }} "$app"
quietly rmdir {{ root }}/shared
quietly rmdir {{ root }}
if [ -d {{ root }} ]; then
  echo "stays: {{ root }}/shared" >&2
elif [ "$(getent passwd "$app" | cut -d: -f6)" = {{ root }} ]; then
  quietly userdel "$app"
  quietly groupdel "$app"
fi
