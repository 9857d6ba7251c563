# On this machine, before the server {{ server }} is destroyed: waits until nobody is being served by it.
# Standard input is the deploy user's private key. Whatever happens, it ends well and in time.
set -u
umask 077
folder=$(mktemp -d) || exit 0
trap 'rm -rf "$folder"' EXIT
cat >"$folder/key"
echo "$SERVER_ADDRESS $SERVER_KEY" >"$folder/known_hosts"
ssh -F none -i "$folder/key" -o IdentitiesOnly=yes -o BatchMode=yes \
  -o UserKnownHostsFile="$folder/known_hosts" -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes \
  -o ConnectTimeout=5 -o ServerAliveInterval=3 -o LogLevel=ERROR "{{ user }}@$SERVER_ADDRESS" \
  timeout {{ drain_seconds + 5 }} sudo releasectl --app {{ app }} idle >/dev/null ||
  echo "{{ server }}: its requests were not waited for; it goes all the same" >&2
