# Takes a site away from a server that stays; run when it is no longer among the sites of its environment.
# What stays: its database with its data, and files the application shared.
set -u
app={{ app | quote }}
quietly() { "$@" >/dev/null 2>&1 || true; }

# First of all nobody is sent there any more.
rm -f "/etc/nginx/sites-enabled/$app" "/etc/nginx/sites-available/$app" "/etc/nginx/conf.d/$app.conf"
if systemctl is-active --quiet nginx; then quietly systemctl reload nginx; fi

for unit in $(systemctl list-units --all --plain --no-legend "$app@*.service" \
  "$app-drain*" "$app-revert-*" "$app-leave-port*" | awk '{ print $1 }'); do
  quietly systemctl stop "$unit"
  quietly systemctl disable "$unit"
done
if [ -d /etc/supervisor/conf.d ]; then
  rm -f "/etc/supervisor/conf.d/$app"@*.conf
  quietly supervisorctl update
fi
rm -f "/etc/systemd/system/$app@"*.service "/etc/systemd/system/multi-user.target.wants/$app@"*.service \
  "/etc/tmpfiles.d/$app.conf"
quietly systemctl daemon-reload

[ ! -d {{ root }} ] || find {{ root }} -mindepth 1 -maxdepth 1 ! -name shared -exec rm -rf {} +
rm -rf "/run/$app" "{{ configuration }}"
rmdir {{ root }}/shared 2>/dev/null
if rmdir {{ root }} 2>/dev/null; then
  quietly userdel "$app"
  # nginx is in it, too.
  quietly groupdel "$app"
fi
slipway-note site "$app" || true
