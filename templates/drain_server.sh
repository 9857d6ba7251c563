# Runs on this machine before the server {{ server }} is destroyed: waits until its requests have ended.
# It never fails and never waits for long.
{% include "over_ssh.sh" %}
on_server 'timeout {{ drain_seconds + 5 }} sudo releasectl --app {{ app }} drain-server >/dev/null' ||
  echo "{{ server }}: could not be drained; it is destroyed all the same" >&2
