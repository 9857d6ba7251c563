# The first contact with a server: once it has booted, it gets our tools and is told who changes it.
# Safe to repeat: that is done when somebody else changes it.
set -eu
# 2: cloud-init is done, with warnings that are not ours.
! command -v cloud-init >/dev/null || cloud-init status --wait >/dev/null || [ $? -eq 2 ]
{% for name, text in tools.items() %}
cat >/usr/local/sbin/.{{ name }} <<'END OF {{ name }}'
{{ text }}END OF {{ name }}
chmod 0755 /usr/local/sbin/.{{ name }}
mv -f /usr/local/sbin/.{{ name }} /usr/local/sbin/{{ name }}
{% endfor %}
mkdir -p "$(dirname {{ updated_by_file }})"
printf '%s\n' {{ updated_by | quote }} >{{ updated_by_file }}
