# The machine's own firewall, where it has one, lets port {{ port }} through.
if command -v ufw >/dev/null && ufw status | grep -q '^Status: active'; then
  ufw allow {{ port }}/tcp >/dev/null
fi
if command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1; then
  firewall-cmd --quiet --permanent --add-port={{ port }}/tcp
  firewall-cmd --quiet --reload
fi
