# The load balancer has moved: nobody comes through the former port any more. Not at once, for what is under
# way in the load balancer ends where it began.
kept={{ configuration }}/former-port.conf
systemctl stop {{ app }}-leave-port.timer 2>/dev/null || true
if [ -e "$kept" ]; then
  systemd-run --quiet --collect --unit={{ app }}-leave-port --on-active=30 \
    sh -c "rm -f $kept; systemctl reload nginx"
fi
