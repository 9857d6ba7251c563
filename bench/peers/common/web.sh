# A web server, ready for releases of one application. Safe to repeat.
# shellcheck shell=sh disable=SC1090,SC2012,SC2154 # what is given
# Given: app, uv; and site.conf, app.service, app.socket and env beside this file.
set -eu
here=$1
packages='nginx-light python3-venv'
# shellcheck disable=SC2086 # words
if [ "$(dpkg-query -W -f '${db:Status-Abbrev}\n' $packages 2>/dev/null | grep -c ^ii)" != 2 ]; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  # shellcheck disable=SC2086 # words
  apt-get install -y -qq --no-install-recommends $packages >/dev/null
fi
if [ "$(/usr/local/bin/uv --version 2>/dev/null | cut -d' ' -f2)" != "$uv" ]; then
  python3 -m venv /opt/uv
  /opt/uv/bin/pip install -q --disable-pip-version-check "uv==$uv"
  ln -sfn /opt/uv/bin/uv /usr/local/bin/uv
fi
id "$app" >/dev/null 2>&1 || useradd --system --home-dir "/srv/$app" --shell /usr/sbin/nologin "$app"
install -d "/srv/$app/releases" "/srv/$app/venvs" "/etc/$app"

# Whether the file had to be put there.
put() {
  if cmp -s "$here/$1" "$2"; then return 1; fi
  install -m "$3" "$here/$1" "$2.new"
  mv -f "$2.new" "$2"
}

if put site.conf "/etc/nginx/sites-available/$app.conf" 644; then
  ln -sfn "../sites-available/$app.conf" "/etc/nginx/sites-enabled/$app.conf"
  nginx -t -q
  systemctl reload nginx
fi
changed=''
if put env "/etc/$app/env" 600; then changed=yes; fi
if put app.service "/etc/systemd/system/$app.service" 644; then changed=yes; fi
if put app.socket "/etc/systemd/system/$app.socket" 644; then changed=yes; fi
if [ -n "$changed" ]; then
  touch "/run/$app.restart"
  systemctl daemon-reload
  systemctl enable -q --now "$app.socket"
  systemctl enable -q "$app.service"
fi
