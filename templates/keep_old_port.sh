# Runs before the site's file is checked. nginx keeps listening on the old port until the load balancer uses the new one
# (close_old_port.sh). Without a load balancer there is nothing to wait for.
kept={{ configuration }}/old-port.conf
systemctl stop {{ app }}-close-old-port.timer 2>/dev/null || true
{% if behind %}
{% set kind = " default_server" if is_first else "" %}
old=$(sed -n 's/^    listen \([0-9]*\){{ kind }};$/\1/p' {{ site }}.old 2>/dev/null | head -n 1) || true
if [ -n "$old" ] && [ "$old" != {{ web_port }} ]; then
  echo "listen $old{{ kind }};" >"$kept"
elif grep -qs ' {{ web_port }}{{ " " if is_first else ";" }}' "$kept"; then
  rm -f "$kept"
fi
{% else %}
rm -f "$kept"
{% endif %}
