# Runs before this server is switched off for a moment: the load balancer takes it out, and requests under way end.
# The file is gone after the next boot, or after ten minutes if there is none.
set -e
aside=/run/slipway-{{ app }}-aside.conf
# Visitors' requests have X-Forwarded-For; the load balancer's own checks do not (nginx-site.conf).
cat >"$aside" <<'EOF'
if ($http_x_forwarded_for = "") { return 503; }
EOF
systemctl reload nginx
systemctl stop {{ app }}-aside.timer 2>/dev/null || true
systemd-run --quiet --collect --unit={{ app }}-aside --on-active=600 sh -c "rm -f $aside; systemctl reload nginx"
sleep {{ seconds_to_judge }}
timeout {{ drain_seconds + 5 }} releasectl --app {{ app }} drain-server >/dev/null || true
