set -eu
path={{ path | quote }}
mkdir -p "$(dirname "$path")"
new=$(mktemp "$path.new.XXXXXX")
trap 'rm -f "$new"' EXIT
cat >"$new"
chmod {{ mode }} "$new"
chown {{ owner }} "$new"
{% if check %}
# The last good file is kept until its successor has passed; one left by a killed run is still the good one.
old=$path.old
[ -e "$old" ] || [ ! -e "$path" ] || cp -p "$path" "$old"
mv -f "$new" "$path"
if ! complaint=$({{ check }} 2>&1); then
  if [ -e "$old" ]; then mv -f "$old" "$path"; else rm -f "$path"; fi
  echo "$path: the new content was refused, the old file is back:" >&2
  echo "$complaint" >&2
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
