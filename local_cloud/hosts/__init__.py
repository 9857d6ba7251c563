"""The machines of the local cloud: images, hosts in systemd-nspawn, network and firewall."""
