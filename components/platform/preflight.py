"""The preflight of existing servers: which machines they are and what they run.

It changes nothing. Host keys are compared at every update (ssh-keyscan), in parallel. It logs in
only to servers that the last successful update did not know. So a problem with any server is
reported before anything changes on one.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from components.app_servers.registry import where
from components.core import ssh_timeouts
from components.core.errors import SlipwayError
from components.servers.distributions import registry
from components.servers.distributions.distribution import Distribution
from components.settings.existing_host import ExistingHost
from components.settings.settings import Settings

# In the order in which they are preferred. pulumi-command asks a server for the pinned type alone,
# for RSA keys only with SHA-1 signatures, which no server of today gives.
KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")

# Reports the facts about a server. Runs as the user that logs in.
_QUESTIONS = """\
[ "$(uname -s)" = Linux ] || { echo "id=$(uname -s)"; exit 0; }
[ ! -r /etc/os-release ] || (. /etc/os-release; echo "id=${ID:-}"; echo "version=${VERSION_ID:-}")
root=''
[ "$(id -u)" -eq 0 ] || root='sudo -n'
if $root true 2>/dev/null; then echo root=yes; fi
[ ! -d /run/systemd/system ] || echo systemd=yes
echo "addresses=$(hostname -I 2>/dev/null | tr '\\n' ' ')"
for folder in /etc/postgresql/*/main /var/lib/pgsql/data; do
  if $root test -e "$folder/pg_hba.conf" && ! $root test -e "$folder/conf.d/slipway.conf"; then
    echo "postgresql=$folder"
  fi
done
[ -d /etc/slipway ] || echo "listening=$($root ss -Hltnp 2>/dev/null | tr '\\n' ';')"
"""


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """What is known about an existing server."""

    host: ExistingHost
    host_key: str
    """The pinned key: `ssh-ed25519 AAAA…`."""
    distribution: Distribution
    os_release: str
    """ID and VERSION_ID of its os-release(5), for the next update."""


def check(settings: Settings, earlier: Any, stack: str) -> dict[str, HostFacts]:
    """Check all existing servers; the facts by the server's name in the stack.

    Args:
        settings: those of the environment.
        earlier: `to_output` of the last successful update; None before the first.
        stack: for the advice in messages.

    Raises:
        SlipwayError: one line for each server that does not qualify.
    """
    hosts = settings.own_hosts
    remembered = earlier if isinstance(earlier, Mapping) else {}

    def facts_or_error(name: str) -> HostFacts | str:
        try:
            return _look_at(name, hosts[name], settings, remembered, stack)
        except SlipwayError as error:
            key = "dbHost" if name == "db" else "webHosts"
            return f"{key}: {hosts[name].address} {error}"

    with ThreadPoolExecutor(len(hosts)) as pool:
        found = dict(zip(hosts, pool.map(facts_or_error, hosts), strict=True))
    if errors := [each for each in found.values() if isinstance(each, str)]:
        raise SlipwayError("\n".join(errors))
    return {name: each for name, each in found.items() if isinstance(each, HostFacts)}


def to_output(known: Iterable[HostFacts]) -> dict[str, dict[str, str]]:
    """What the next update need not ask again, as plain data for the stack's outputs."""
    return {
        each.host.known_as: {"key": fingerprint(each.host_key), "system": each.os_release}
        for each in known
    }


def fingerprint(key: str) -> str:
    """SHA256:… of a public key line, as ssh-keygen -l shows it."""
    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def scan_host_keys(host: ExistingHost, types: str = "ed25519,ecdsa") -> list[str]:
    """The host keys that a server shows now, the best first.

    Args:
        host: the server.
        types: those to ask for, as ssh-keyscan(1) has them: each is a connection of its own.

    Raises:
        SlipwayError: it does not answer, or has none of these.
    """
    done = subprocess.run(
        [
            "ssh-keyscan",
            "-T",
            str(ssh_timeouts.HOST_KEYS),
            "-p",
            str(host.port),
            "-t",
            types,
            host.address,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.split() for line in done.stdout.splitlines() if not line.startswith("#")]
    keys = [" ".join(words[1:3]) for words in lines if len(words) >= 3 and words[1] in KEY_TYPES]
    if not keys:
        said = [line for line in done.stderr.splitlines() if not line.startswith("#")]
        reason = (
            said[-1].removeprefix("getaddrinfo ") if said else f"no host key is shown ({types})"
        )
        raise SlipwayError(f"does not answer at port {host.port}: {reason}")
    return sorted(keys, key=lambda key: KEY_TYPES.index(key.split()[0]))


def pins_of(host: ExistingHost, host_keys: Iterable[str]) -> list[str]:
    """Keys and fingerprints that `hostKeys` has for a server."""
    split = [line.split(maxsplit=1) for line in host_keys]
    return [rest for address, rest in split if address in (host.address, host.known_as)]


def is_pinned(key: str, pins: Iterable[str]) -> bool:
    return any(pin in (key, fingerprint(key)) or pin.startswith(f"{key} ") for pin in pins)


def _look_at(
    name: str, host: ExistingHost, settings: Settings, remembered: Mapping[str, Any], stack: str
) -> HostFacts:
    host_key = _pinned_key(host, settings.host_keys, stack)
    last = remembered.get(host.known_as, {})
    os_release = last.get("system", "") if last.get("key") == fingerprint(host_key) else ""
    if not os_release:
        answers = _asked(host, host_key, settings)
        os_release = f"{answers.get('id', '')} {answers.get('version', '')}"
        _check_answers(name, host, answers, settings)
    system = registry.of(*os_release.split(" ", 1))
    app_servers, managers = where(system.family)
    fits = settings.app_server in app_servers and settings.supervisor in managers
    if name != "db" and not fits:
        raise SlipwayError(
            f"runs {system.label}, where appServer can only be {' or '.join(app_servers)}, and"
            f" supervisor {' or '.join(managers)}"
        )
    return HostFacts(host=host, host_key=host_key, distribution=system, os_release=os_release)


def _pinned_key(host: ExistingHost, host_keys: Sequence[str], stack: str) -> str:
    pins = pins_of(host, host_keys)
    # Usually full keys of one type are pinned.
    all_ed25519 = {pin.split()[0] for pin in pins} == {"ssh-ed25519"}
    keys = scan_host_keys(host, "ed25519") if all_ed25519 else scan_host_keys(host)
    for key in keys:
        if is_pinned(key, pins):
            return key
    shown = fingerprint(keys[0])
    if not pins:
        raise SlipwayError(
            f"shows the host key {shown}, and none is pinned (hostKeys):"
            f" scripts/trust-hosts {stack} pins it once you have compared it"
        )
    before = pins[0] if pins[0].startswith("SHA256:") else fingerprint(pins[0])
    raise SlipwayError(
        f"shows the host key {shown}, but {before} is pinned (hostKeys): either the"
        f" server was reinstalled, then run scripts/trust-hosts {stack}, or another one answers"
    )


def _check_answers(
    name: str, host: ExistingHost, answers: Mapping[str, str], settings: Settings
) -> None:
    """Raises SlipwayError if the server does not qualify for its role."""
    registry.of(answers.get("id", ""), answers.get("version", ""))
    if answers.get("systemd") != "yes":
        raise SlipwayError("does not run systemd")
    if answers.get("root") != "yes":
        raise SlipwayError(
            f"lets {_user(host, settings)} in, who may not become root: needs sudo without a"
            " password, or sshUser root"
        )
    addresses = answers.get("addresses", "").split()
    if addresses and host.private_address not in addresses:
        raise SlipwayError(
            f"has no address {host.private_address}, but {', '.join(addresses)}: say"
            " private=… with the one at which the other servers know it"
        )
    if name == "db" and "postgresql" in answers:
        raise SlipwayError(
            f"has a PostgreSQL that Slipway did not make ({answers['postgresql']}): its access"
            " rules would be replaced"
        )
    for listener in answers.get("listening", "").split(";"):
        words = listener.split()
        if name != "db" and len(words) > 3 and words[3].endswith(f":{settings.web_port}"):
            who = words[5] if len(words) > 5 else ""
            program = who.split('"')[1] if '"' in who else "another program"
            raise SlipwayError(f"has port {settings.web_port} (webPort) taken by {program}")


def _asked(host: ExistingHost, host_key: str, settings: Settings) -> dict[str, str]:
    with TemporaryDirectory(dir=os.environ.get("SLIPWAY_HOME")) as folder:
        known_hosts = Path(folder, "known_hosts")
        known_hosts.write_text(f"{host.known_as} {host_key}\n")
        words = ssh_words(host, host_key, settings, known_hosts=str(known_hosts))
        done = subprocess.run(
            [*words, shlex.join(["sh", "-c", _QUESTIONS])],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        how = f"with {settings.ssh_key} (sshKey)" if settings.ssh_key else "with ssh's keys"
        raise SlipwayError(
            f"does not open for {_user(host, settings)} {how}:"
            f" {said[-1] if said else f'exit status {done.returncode}'}"
        )
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def ssh_words(
    host: ExistingHost, host_key: str, settings: Settings, *, known_hosts: str
) -> list[str]:
    """The ssh command line for the owner of a server, before the user deploy exists.

    Raises:
        SlipwayError: the key's file does not exist.
    """
    key = settings.ssh_key
    if key and not Path(key).expanduser().is_file():
        raise SlipwayError(f"cannot be opened with {key} (sshKey): there is no such file")
    options = [
        "BatchMode=yes",
        f"ConnectTimeout={ssh_timeouts.HOST_KEYS}",
        "StrictHostKeyChecking=yes",
        f"HostKeyAlgorithms={host_key.split()[0]}",
        f"UserKnownHostsFile={known_hosts}",
        "LogLevel=ERROR",
    ]
    if key:
        # ssh itself knows what ~ is.
        options += ["IdentitiesOnly=yes", f"IdentityFile={key}"]
    chosen = [word for option in options for word in ("-o", option)]
    return ["ssh", *chosen, "-p", str(host.port), f"{_user(host, settings)}@{host.address}"]


def _user(host: ExistingHost, settings: Settings) -> str:
    return host.user or settings.ssh_user
