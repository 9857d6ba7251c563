# On this machine, before the server {{ server }} is destroyed: waits until nobody is being served by it.
# Whatever happens, it ends well and in time.
{% include "over_ssh.sh" %}
on_server 'timeout {{ drain_seconds + 5 }} sudo releasectl --app {{ app }} drain-server >/dev/null' ||
  echo "{{ server }}: its requests were not waited for; it goes all the same" >&2
