"""The machines of the local cloud: Debian images, systemd-nspawn hosts, their network and firewall."""
