# Opens port {{ port }} in ufw or firewalld, if one of them is active. slipway-remove closes it again, unless it was open
# before.
if command -v ufw >/dev/null && ufw status | grep -q '^Status: active' &&
  ! ufw show added | grep -qx 'ufw allow {{ port }}/tcp'; then
  echo 'ufw delete allow {{ port }}/tcp >/dev/null' | slipway-on-remove ufw-{{ port }}
  ufw allow {{ port }}/tcp >/dev/null
fi
if command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1 &&
  ! firewall-cmd --quiet --permanent --query-port={{ port }}/tcp; then
  slipway-on-remove firewalld-{{ port }} <<'END OF THE UNDO'
firewall-cmd --quiet --permanent --remove-port={{ port }}/tcp
firewall-cmd --quiet --reload
END OF THE UNDO
  firewall-cmd --quiet --permanent --add-port={{ port }}/tcp
  firewall-cmd --quiet --reload
fi
