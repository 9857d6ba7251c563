# The load balancer uses the new port by now, so nginx can close the old one. It waits a little, because requests that
# are under way end on the port where they began.
kept={{ configuration }}/old-port.conf
systemctl stop {{ app }}-close-old-port.timer 2>/dev/null || true
if [ -e "$kept" ]; then
  systemd-run --quiet --collect --unit={{ app }}-close-old-port --on-active=30 \
    sh -c "rm -f $kept; systemctl reload nginx"
fi
