# Before the site's file is checked: nginx goes on with the port it had until the load balancer has moved
# to the new one (leave_former_port.sh). Without a load balancer there is nobody to wait for.
kept={{ configuration }}/former-port.conf
systemctl stop {{ app }}-leave-port.timer 2>/dev/null || true
{% if behind %}
former=$(sed -n 's/^    listen \([0-9]*\) default_server;$/\1/p' {{ site }}.old 2>/dev/null) || true
if [ -n "$former" ] && [ "$former" != {{ port }} ]; then
  echo "listen $former default_server;" >"$kept"
elif grep -qs ' {{ port }} ' "$kept"; then
  rm -f "$kept"
fi
{% else %}
rm -f "$kept"
{% endif %}
