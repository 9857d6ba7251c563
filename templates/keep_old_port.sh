# Before the site's file is checked: nginx goes on with the port it had until the load balancer has moved
# to the new one (close_old_port.sh). Without a load balancer there is nobody to wait for.
kept={{ configuration }}/former-port.conf
systemctl stop {{ app }}-leave-port.timer 2>/dev/null || true
{% if behind %}
{% set kind = "" if server_names else " default_server" %}
former=$(sed -n 's/^    listen \([0-9]*\){{ kind }};$/\1/p' {{ site }}.old 2>/dev/null) || true
if [ -n "$former" ] && [ "$former" != {{ web_port }} ]; then
  echo "listen $former{{ kind }};" >"$kept"
elif grep -qs ' {{ web_port }}{{ ";" if server_names else " " }}' "$kept"; then
  rm -f "$kept"
fi
{% else %}
rm -f "$kept"
{% endif %}
