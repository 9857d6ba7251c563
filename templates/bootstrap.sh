# The bootstrap of a server: once it has booted, it gets our tools and is told who changes it.
# Safe to repeat: it runs again when somebody else changes the server.
set -eu
# 2: cloud-init is done, with warnings that are not ours.
! command -v cloud-init >/dev/null || cloud-init status --wait >/dev/null || [ $? -eq 2 ]
{% for name, text in tools.items() %}
cat >{{ folder }}/.{{ name }} <<'END OF {{ name }}'
{{ text }}END OF {{ name }}
chmod 0755 {{ folder }}/.{{ name }}
mv -f {{ folder }}/.{{ name }} {{ folder }}/{{ name }}
{% endfor %}
mkdir -p "$(dirname {{ updated_by_file }})"
printf '%s\n' {{ updated_by | quote }} >{{ updated_by_file }}
# slipway-remove itself is the last to go.
slipway-on-remove bootstrap <<'END OF THE UNDO'
rm -rf /etc/slipway /var/cache/slipway /var/log/slipway
{% for name in tools if name != "slipway-remove" %}
rm -f {{ folder }}/{{ name }}
{% endfor %}
END OF THE UNDO
