# Runs on this machine: executes a command on the server {{ server }}.
{% include "over_ssh.sh" %}
on_server {{ command | quote }}
