"""Servers that exist already as the platform: Slipway neither creates nor destroys them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_command import local, remote

from components.core import ports
from components.core.errors import SlipwayError
from components.core.put_file import PutFile, ServerFile, Unit
from components.core.render import render
from components.core.shell import as_root
from components.network.visitors_https import VisitorsHttps
from components.platform import preflight
from components.platform.platform import Entrance
from components.platform.preflight import HostFacts
from components.servers.distributions.distribution import Distribution, Role
from components.servers.keys import KeyPair
from components.servers.machine import DEPLOY_USER
from components.servers.remote import REMOVE, Host, Logging
from components.servers.server import Server
from components.settings.settings import Settings

FIREWALL = "/etc/slipway/firewall.nft"
FIREWALL_UNIT = "slipway-firewall.service"
OUTPUT = "own_hosts"
ANYONE = "0.0.0.0/0"

# Uses the person's own ssh, with their agent, configuration and bastion. Only the host key is ours.
# The script for the server comes by standard input.
_OPEN = """\
set -eu
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
printf '%s\\n' "$KNOWN_HOST" >"$folder/known_hosts"
{ssh}
"""


class ExistingServers:
    """A `Platform` of servers that somebody else has set up."""

    def __init__(self, settings: Settings, earlier: Mapping[str, Any]) -> None:
        """Raises SlipwayError naming each server that does not qualify, and why."""
        stack = pulumi.get_stack()
        self._settings = settings
        self._facts = preflight.check(settings, earlier.get(OUTPUT), stack)
        families = {self._facts[name].distribution.family for name in settings.web_servers}
        if len(families) > 1:
            raise SlipwayError(
                "webHosts are of several families"
                f" ({', '.join(sorted(families))}): all have to be of one"
            )

    @property
    def web_distribution(self) -> Distribution:
        return self.distribution("web")

    def distribution(self, server: str) -> Distribution:
        return self._facts[server].distribution

    @property
    def outputs(self) -> Mapping[str, Any]:
        return {OUTPUT: preflight.to_output(self._facts.values())}

    def create_shared_resources(self, deploy_key: KeyPair) -> None:
        """There is nothing to create."""

    def machine(self, server: str) -> ExistingServer:
        return ExistingServer(facts=self._facts[server], settings=self._settings)

    def allow_traffic(
        self,
        servers: Sequence[Server],
        https: VisitorsHttps,
        after: Sequence[pulumi.Resource],
    ) -> Entrance:
        """Nothing to open; the URL of the first server."""
        return Entrance(
            url=servers[0].url(self._settings.web_port),
            addresses=[each.address for each in servers],
            resources=after,
        )


@dataclass(frozen=True, kw_only=True)
class ExistingServer:
    """A `Machine` that somebody else has set up."""

    facts: HostFacts
    settings: Settings

    @property
    def name(self) -> str:
        return self.facts.host.address

    @property
    def image(self) -> str:
        return ""

    @property
    def distribution(self) -> Distribution:
        return self.facts.distribution

    @property
    def packages(self) -> Sequence[str]:
        return ("nftables",)

    @property
    def sshd(self) -> str:
        """Its owner decides who may log in, and how."""
        return "sshd-own.conf"

    def files(self, role: Role) -> Sequence[ServerFile]:
        """A firewall, because no provider puts one around it."""
        return [
            ServerFile(
                name="firewall",
                put=PutFile(
                    path=FIREWALL,
                    check=f"nft --check --file {FIREWALL}",
                    then=f"! systemctl is-active --quiet {FIREWALL_UNIT}"
                    f" || systemctl reload {FIREWALL_UNIT}",
                ),
                content=self._firewall(role),
            ),
            ServerFile(
                name="firewall-unit",
                put=PutFile(
                    path=f"/etc/systemd/system/{FIREWALL_UNIT}",
                    unit=Unit(name=FIREWALL_UNIT, verb="restart"),
                ),
                content=render("slipway-firewall.service", rules=FIREWALL),
            ),
        ]

    def open_port(self, role: Role) -> str:
        return "\n".join(render("open_port.sh", port=port) for port in self._ports(role))

    def provision(
        self, name: str, deploy_key: KeyPair, connect_seconds: int, parent: pulumi.Resource
    ) -> Host:
        own = self.facts.host
        machine_id = f"{own.known_as} {preflight.fingerprint(self.facts.host_key)}"
        contact = local.Command(
            f"{name}-deploy-user",
            create=self._open(),
            stdin=deploy_key.public.apply(
                lambda key: render("deploy_user.sh", user=DEPLOY_USER, key=key.strip())
            ),
            environment={"KNOWN_HOST": f"{own.known_as} {self.facts.host_key}"},
            triggers=[machine_id],
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        host = Host(
            name=name,
            machine=contact,
            machine_id=pulumi.Output.from_input(machine_id),
            address=pulumi.Output.from_input(own.address),
            port=own.port,
            private_address=pulumi.Output.from_input(own.private_address),
            user=DEPLOY_USER,
            private_key=deploy_key.private,
            host_key=pulumi.Output.from_input(self.facts.host_key),
            connect_seconds=connect_seconds,
        )
        self._uninstall_on_delete(host, contact)
        return host

    def _open(self) -> str:
        words = preflight.ssh_words(
            self.facts.host, self.facts.host_key, self.settings, known_hosts="FOLDER/known_hosts"
        )
        user = self.facts.host.user or self.settings.ssh_user
        shell = 'sh -c "$(cat)"' if user == "root" else 'sudo -n sh -c "$(cat)"'
        line = shlex.join([*words, shell]).replace("FOLDER", '"$folder"', 1)
        return _OPEN.format(ssh=line)

    def _uninstall_on_delete(self, host: Host, contact: pulumi.Resource) -> None:
        """What is run on the machine when it leaves the environment.

        Named after the machine, for a machine can change its place in the list and stay.
        """
        remote.Command(
            f"{self.facts.host.known_as}-uninstall",
            connection=host.connection,
            create="true",
            delete=as_root(f"{REMOVE.name} --all"),
            logging=Logging.STDERR,
            add_previous_output_in_env=False,
            opts=pulumi.ResourceOptions(depends_on=[contact]),
        )

    def _firewall(self, role: Role) -> str:
        wanted = self.settings
        allowed = wanted.db_clients if role == "db" else wanted.http_from
        # The web servers take certificates from each other.
        others = wanted.db_clients if role == "web" and wanted.may_have_https else []
        return render(
            "firewall.nft",
            ports=self._ports(role),
            allowed=[] if ANYONE in allowed else [*allowed, *others],
        )

    def _ports(self, role: Role) -> list[int]:
        if role == "db":
            return [ports.POSTGRESQL]
        wanted = self.settings
        return [wanted.web_port, *([ports.HTTPS] if wanted.may_have_https else [])]
