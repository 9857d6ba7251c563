"""The files every image and every machine gets from us: pure text, keyed by path.

An image's files are the same for every machine made from it. A machine's own ones lie in a layer
between image and disk, written anew at each boot, so that they follow this computer's configuration
until somebody changes them inside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address

from local_cloud.hosts.firewall import PACKAGE_CACHE_PORT

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
CACHE = "/var/cache/slipway"
"""Where a machine sees the wheel caches it shares with the others."""

IMAGE_FILES: Mapping[str, str] = {
    "/etc/cloud/cloud.cfg.d/90-local-cloud.cfg": """\
# As DigitalOcean's images: root logs in with the keys of the droplet, there is no default user,
# /etc/hosts is cloud-init's. The network is made from outside.
datasource_list: [NoCloud]
network: {config: disabled}
users: []
disable_root: false
manage_etc_hosts: true
locale: C.UTF-8
ssh_genkeytypes: [ed25519, ecdsa]
no_ssh_fingerprints: true
ssh: {emit_keys_to_console: false}
cloud_init_modules:
  - seed_random
  - bootcmd
  - write-files
  - set_hostname
  - update_hostname
  - update_etc_hosts
  - ca-certs
  - users-groups
  - ssh
cloud_config_modules:
  - ssh-import-id
  - set-passwords
  - ntp
  - timezone
  - apt-configure
  - runcmd
cloud_final_modules:
  - package-update-upgrade-install
  - write-files-deferred
  - scripts-vendor
  - scripts-per-once
  - scripts-per-boot
  - scripts-per-instance
  - scripts-user
  - phone-home
  - final-message
  - power-state-change
""",
    "/etc/default/locale": "LANG=C.UTF-8\n",
    "/etc/environment": f"LANG=C.UTF-8\nSSL_CERT_FILE={CERTIFICATES}\n"
    f"REQUESTS_CA_BUNDLE={CERTIFICATES}\nPIP_CERT={CERTIFICATES}\n",
    # A machine is made again in seconds: syncing each file of a package to disk buys nothing.
    "/etc/dpkg/dpkg.cfg.d/local-cloud": "force-unsafe-io\n",
    "/etc/apt/apt.conf.d/90local-cloud": """\
Acquire::Languages "none";
Acquire::http::Proxy-Auto-Detect "/usr/local/lib/slipway/package-cache";
Acquire::https::Proxy "DIRECT";
""",
}


def machine_files(
    *,
    gateway: IPv4Address,
    name_servers: Sequence[IPv4Address],
    search: str,
    cached_mirrors: Sequence[str],
    pip_settings: Mapping[str, str],
) -> dict[str, str]:
    """What depends on the cloud and on this computer's configuration."""
    resolver = [f"search {search}"] if search else []
    resolver += [f"nameserver {server}" for server in name_servers]
    pip = {"cert": CERTIFICATES, **pip_settings}
    return {
        "/etc/resolv.conf": "\n".join(resolver) + "\n",
        "/usr/local/lib/slipway/package-cache": package_cache_script(gateway, cached_mirrors),
        "/etc/pip.conf": pip_configuration(pip),
        "/etc/uv/uv.toml": uv_configuration(pip_settings),
        # Only root can write to the shared caches, so only root is told of them.
        "/root/.config/pip/pip.conf": pip_configuration({**pip, "cache-dir": f"{CACHE}/pip"}),
        "/root/.config/uv/uv.toml": uv_configuration(pip_settings, cache=f"{CACHE}/uv"),
    }


def trust_files(root: str, hashed_name: str, bundle: str) -> dict[str, str]:
    """What makes a machine trust the cloud's own authority, as `update-ca-certificates` would.

    Args:
        root: the authority's certificate, in PEM.
        hashed_name: its name in a folder of certificates, which OpenSSL looks up.
        bundle: what the machine's image trusts already.
    """
    with_root = bundle if root in bundle else bundle + root
    return {
        "/usr/local/share/ca-certificates/slipway-local-cloud.crt": root,
        f"/etc/ssl/certs/{hashed_name}": root,
        CERTIFICATES: with_root,
    }


def package_cache_script(gateway: IPv4Address, cached_mirrors: Sequence[str]) -> str:
    """What apt asks for a proxy (apt.conf(5)): the cache, for its mirrors, while it lives."""
    patterns = "|".join(f"http://{mirror}/*" for mirror in cached_mirrors) or "none"
    return f"""\
#!/bin/bash
# apt calls this with an address: which proxy leads there?
case "$1" in
{patterns})
    if timeout 1 bash -c '</dev/tcp/{gateway}/{PACKAGE_CACHE_PORT}' 2>/dev/null; then
        echo http://{gateway}:{PACKAGE_CACHE_PORT}
        exit
    fi ;;
esac
echo DIRECT
"""


def pip_configuration(settings: Mapping[str, str]) -> str:
    # A value of several lines goes on in indented ones (configparser's form, which pip reads).
    lines = [f"{name} = {' '.join(value.split())}" for name, value in settings.items()]
    return "\n".join(["[global]", *lines, ""])


def uv_configuration(pip_settings: Mapping[str, str], cache: str | None = None) -> str:
    """uv's settings that agree with pip's (uv reads one file only: the user's, else /etc's)."""
    lines = ["native-tls = true", 'link-mode = "copy"']
    if cache:
        lines.append(f"cache-dir = {json.dumps(cache)}")
    if "index-url" in pip_settings:
        lines.append(f"index-url = {json.dumps(pip_settings['index-url'])}")
    if "extra-index-url" in pip_settings:
        lines.append(f"extra-index-url = {json.dumps(pip_settings['extra-index-url'].split())}")
    if "trusted-host" in pip_settings:
        lines.append(f"allow-insecure-host = {json.dumps(pip_settings['trusted-host'].split())}")
    return "\n".join([*lines, ""])
