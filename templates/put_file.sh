set -eu
path={{ path | quote }}
new=$path.new
trap 'rm -f "$new"' EXIT
mkdir -p "$(dirname "$path")"
rm -f "$new"
(umask 077 && cat >"$new")
chmod {{ mode }} "$new"
chown {{ owner }} "$new"
{% if check %}
# What was there is kept until its successor has passed: a copy, or a dangling link where nothing was.
# One left by a killed run is still the good one.
old=$path.old
if [ ! -e "$old" ] && [ ! -L "$old" ]; then
  if [ -e "$path" ]; then cp -p "$path" "$old.part" && mv -f "$old.part" "$old"; else ln -s nothing "$old"; fi
fi
mv -f "$new" "$path"
if ! complaint=$({{ check }} 2>&1); then
  if [ -L "$old" ]; then
    rm -f "$path" "$old"
    now="is gone again"
  else
    mv -f "$old" "$path"
    now="the old file is back"
  fi
  printf '%s: the new content was refused, and %s:\n%s\n' "$path" "$now" "$complaint" >&2
  exit 1
fi
rm -f "$old"
{% else %}
mv -f "$new" "$path"
{% endif %}
{% if then %}
{{ then }} >&2
{% endif %}
sha256sum "$path" | cut -d' ' -f1
