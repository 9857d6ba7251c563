# Creates the application's user and folders. Safe to repeat.
set -eu
slipway-on-remove site-{{ app }} <<'END OF THE UNDO'
{% include "remove_app.sh" %}
END OF THE UNDO
getent group {{ app }} >/dev/null || groupadd --system {{ app }}
if ! getent passwd {{ app }} >/dev/null; then
  useradd --system --gid {{ app }} --home-dir {{ root }} --no-create-home --shell /usr/sbin/nologin {{ app }}
  slipway-note user {{ app }} || :
fi
# nginx reads static files and connects to the socket. It joins the group when it starts or reloads.
if ! id -nG {{ web_user }} | grep -qw {{ app }}; then
  usermod --append --groups {{ app }} {{ web_user }}
{% if not is_first %}
  # A reload starts workers that are in the group, and lets requests of the other sites end.
  systemctl reload nginx
{% else %}
  rm -f /etc/nginx/sites-enabled/default
  systemctl restart nginx
{% endif %}
fi
install -d -m 0755 {{ root }} {{ root }}/releases {{ root }}/venvs {{ root }}/instances
install -d -m 0750 -o {{ app }} -g {{ app }} {{ root }}/shared
install -d -m 0755 {{ configuration }}
# The deploy user uploads archives here.
install -d -m 0700 -o deploy -g deploy {{ root }}/incoming
