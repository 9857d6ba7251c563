# Runs on this machine: `on_server COMMAND` runs a command on the server whose address and host key are in the
# environment. Standard input is the deploy user's private key.
on_server() (
  umask 077
  folder=$(mktemp -d) || exit
  trap 'rm -rf "$folder"' EXIT
  cat >"$folder/key"
  echo "$SERVER_ADDRESS $SERVER_KEY" >"$folder/known_hosts"
  ssh -F none -i "$folder/key" -o IdentitiesOnly=yes -o BatchMode=yes \
    -o UserKnownHostsFile="$folder/known_hosts" -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes \
    -o ConnectTimeout={{ ssh_timeouts.DIAL }} -o ServerAliveInterval={{ ssh_timeouts.DRAIN_ALIVE_INTERVAL }} \
    -o LogLevel=ERROR "{{ user }}@$SERVER_ADDRESS" "$1"
)
