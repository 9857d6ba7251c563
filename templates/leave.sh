# Takes away what Slipway has put on a server of one's own; run when it leaves the environment.
# What stays: packages, the database with its data and its access rules, files the application shared.
set -u
app={{ app | quote }}
quietly() { "$@" >/dev/null 2>&1 || true; }

quietly systemctl stop slipway-firewall.service
quietly systemctl disable slipway-firewall.service
for unit in $(systemctl list-units --all --plain --no-legend "$app@*.service" \
  "$app-drain*" "$app-revert-*" "$app-leave-port*" | awk '{ print $1 }'); do
  quietly systemctl stop "$unit"
  quietly systemctl disable "$unit"
done
rm -f /etc/systemd/system/slipway-firewall.service "/etc/systemd/system/$app@"*.service \
  "/etc/systemd/system/multi-user.target.wants/$app@"*.service "/etc/tmpfiles.d/$app.conf"
quietly systemctl daemon-reload

rm -f "/etc/nginx/sites-enabled/$app" "/etc/nginx/sites-available/$app" "/etc/nginx/conf.d/$app.conf"
if systemctl is-active --quiet nginx; then quietly systemctl reload nginx; fi

# Where the instances are supervisor's.
if [ -d /etc/supervisor/conf.d ]; then
  rm -f "/etc/supervisor/conf.d/$app"@*.conf /etc/systemd/system/supervisor.service.d/slipway.conf
  quietly supervisorctl update
fi

[ ! -d {{ root }} ] || find {{ root }} -mindepth 1 -maxdepth 1 ! -name shared -exec rm -rf {} +
rm -rf "/run/$app" /opt/slipway
rmdir {{ root }}/shared 2>/dev/null
rmdir {{ root }} 2>/dev/null && quietly userdel "$app"
made_user=''
[ ! -e /etc/slipway/made-deploy-user ] || made_user=yes
rm -rf /etc/slipway /var/cache/slipway /var/lib/slipway /usr/local/bin/releasectl /usr/local/sbin/slipway-*
rm -f /etc/apt/apt.conf.d/60slipway /etc/ssh/sshd_config.d/slipway.conf
quietly systemctl reload ssh
quietly systemctl reload sshd

# Last of all the way in, once this session, which came by it, has ended.
home=$(getent passwd deploy | cut -d: -f6)
sed -i '/ slipway$/d' "$home/.ssh/authorized_keys"
last='rm -f /etc/sudoers.d/slipway'
[ -z "$made_user" ] || last="$last; userdel --force --remove deploy"
systemd-run --quiet --collect --on-active=2 sh -c "$last"
