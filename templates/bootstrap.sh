# Bootstraps a server: waits until it has booted, installs our tools and records who is updating it.
# Safe to repeat. It runs again when somebody else updates the server.
set -eu
# Status 2: cloud-init has finished, with warnings that do not concern us.
! command -v cloud-init >/dev/null || cloud-init status --wait >/dev/null || [ $? -eq 2 ]
{% for name, text in tools.items() %}
cat >{{ folder }}/.{{ name }} <<'END OF {{ name }}'
{{ text }}END OF {{ name }}
chmod 0755 {{ folder }}/.{{ name }}
mv -f {{ folder }}/.{{ name }} {{ folder }}/{{ name }}
{% endfor %}
mkdir -p "$(dirname {{ updated_by_file }})"
printf '%s\n' {{ updated_by | quote }} >{{ updated_by_file }}
mkdir -p "$(dirname {{ machine_file }})"
printf '%s\n' {{ machine | quote }} >{{ machine_file }}
# slipway-remove deletes itself last.
slipway-on-remove bootstrap <<'END OF THE UNDO'
rm -rf /etc/slipway /var/cache/slipway /var/log/slipway
{% for name in tools if name != "slipway-remove" %}
rm -f {{ folder }}/{{ name }}
{% endfor %}
END OF THE UNDO
