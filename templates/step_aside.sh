# Before this server is switched off for a moment: the load balancer turns it away, and whoever is being served gets
# their answer. The file does not survive the next start; where there is none, it goes after a while.
set -e
aside=/run/slipway-{{ app }}-aside.conf
# Visitors come with X-Forwarded-For, the load balancer's own checks without (nginx-site.conf).
cat >"$aside" <<'EOF'
if ($http_x_forwarded_for = "") { return 503; }
EOF
systemctl reload nginx
systemctl stop {{ app }}-aside.timer 2>/dev/null || true
systemd-run --quiet --collect --unit={{ app }}-aside --on-active=600 sh -c "rm -f $aside; systemctl reload nginx"
sleep {{ seconds_to_judge }}
timeout {{ drain_seconds + 5 }} releasectl --app {{ app }} drain-server >/dev/null || true
