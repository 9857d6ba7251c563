"""DigitalOcean, or the local cloud, as the platform of an environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from components.core import ports
from components.network import balancer_check
from components.network.load_balancer import LoadBalancer, LoadBalancerArgs
from components.network.network import Network, NetworkArgs, reserved_address
from components.network.visitors_https import VisitorsHttps
from components.platform import catalogue, endpoint
from components.platform.droplet import Droplet, local_hints
from components.platform.platform import Entrance
from components.platform.resize import Resize
from components.servers.distributions import registry
from components.servers.distributions.distribution import Distribution
from components.servers.keys import KeyPair
from components.servers.server import Server, http_url
from components.settings import foundation
from components.settings.load import api_endpoint
from components.settings.settings import Settings


class DigitalOceanPlatform:
    """A `Platform` whose machines, network, firewalls and load balancer Slipway creates."""

    _network: Network

    def __init__(self, settings: Settings, earlier: Mapping[str, Any]) -> None:
        """Raises SlipwayError if the cloud does not answer, or lacks a region, image or size."""
        balancer_check.check(settings, project=pulumi.get_project())
        endpoint.check(api_endpoint())
        catalogue.check(settings, earlier)
        self._settings = settings
        servers = ("db", *settings.web_servers)
        self._images = {
            name: foundation.image_of(name, earlier, settings.image) for name in servers
        }
        self._resize = Resize(settings, earlier.get(catalogue.OUTPUT) or {})
        leaving = [
            each["server"]
            for each in earlier.get("web") or ()
            if each.get("server") not in (None, *servers)
        ]
        if leaving:
            pulumi.log.warn(
                f"{', '.join(leaving)} will be destroyed ({pulumi.get_project()}:webCount is"
                f" {settings.web_count}), with what the application has in /srv/…/shared there"
            )
        others = [name for name, image in self._images.items() if image != settings.image]
        if others:
            pulumi.log.warn(
                f"{', '.join(others)} keep{'s' * (len(others) == 1)} the system that"
                f" {'it was' if len(others) == 1 else 'they were'} made with:"
                f" {pulumi.get_project()}:image ({settings.image}) is for new servers"
            )

    @property
    def web_distribution(self) -> Distribution:
        """That of the first server: the images do not differ in what web servers use."""
        return self.distribution("web")

    def distribution(self, server: str) -> Distribution:
        return registry.of_image(self._images[server])

    @property
    def outputs(self) -> Mapping[str, Any]:
        """What was ordered; the engine's state has what came of it."""
        return {catalogue.OUTPUT: catalogue.ordered(self._settings)}

    def create_shared_resources(self, deploy_key: KeyPair) -> None:
        wanted = self._settings
        self._network = Network(
            f"{pulumi.get_project()}-{pulumi.get_stack()}",
            NetworkArgs(
                region=wanted.region,
                ip_range=wanted.vpc_range,
                deploy_key=deploy_key.public,
                ssh_from=wanted.ssh_from,
                web_port=wanted.web_port,
                db_from=wanted.db_from,
            ),
        )

    def machine(self, server: str) -> Droplet:
        wanted, is_db = self._settings, server == "db"
        return Droplet(
            name=f"{wanted.name_prefix}{server}",
            region=wanted.region,
            image=self._images[server],
            size=wanted.db_size if is_db else wanted.web_size,
            network=self._network,
            tag=self._network.db_tag if is_db else self._network.web_tag,
            backups=wanted.backups,
            protected=is_db and foundation.protects(wanted, pulumi.get_stack()),
            resize=None if is_db else self._resize,
            hints=self._hints(server),
        )

    def allow_traffic(
        self,
        servers: Sequence[Server],
        https: VisitorsHttps,
        after: Sequence[pulumi.Resource],
    ) -> Entrance:
        wanted = self._settings
        balancer = (
            LoadBalancer(
                "balancer",
                LoadBalancerArgs(
                    region=wanted.region,
                    network=self._network,
                    hosts=[server.host for server in servers],
                    port=wanted.web_port,
                    health_path=wanted.health_path,
                    after=after,
                    apps=wanted.app_names,
                    drain_seconds=wanted.drain_seconds,
                    https=https,
                ),
            )
            if wanted.balanced
            else None
        )
        firewall = self._network.allow_traffic(
            https.tls.visited_ports(wanted),
            addresses=wanted.http_from,
            load_balancer_id=balancer.id if balancer else None,
        )
        way: list[pulumi.Resource] = [firewall, *([balancer] if balancer else [])]
        address = balancer.address if balancer else servers[0].address
        if wanted.reserved_ip:
            reserved = reserved_address("web-address", wanted.region, servers[0].host, after)
            way.append(reserved)
            address = reserved.ip_address
        return Entrance(url=_url(wanted, address, balancer), addresses=[address], resources=way)

    def _hints(self, server: str) -> list[str]:
        wanted = self._settings
        if server == "db":
            return local_hints(
                address=wanted.local_db_address,
                forwards=[(wanted.local_db_port, ports.POSTGRESQL)],
            )
        number, first = wanted.web_servers.index(server), wanted.local_web_address
        return local_hints(
            address=first + number if first else 0,
            forwards=[
                (wanted.local_web_port, wanted.web_port),
                (wanted.local_tls_port, ports.HTTPS),
            ]
            if number == 0
            else [],
            balancer=_balancer_hints(wanted) if wanted.balanced else [],
        )


def _balancer_hints(settings: Settings) -> list[str]:
    web, tls = settings.local_web_port, settings.local_tls_port
    # DigitalOcean keeps no order among the rules: so each is named by its port.
    ways = [(web, ports.HTTP), (tls, ports.HTTPS)]
    return [f"{local}:{port}" for local, port in ways if local]


def _url(
    settings: Settings, address: pulumi.Output[str], balancer: LoadBalancer | None
) -> pulumi.Output[str]:
    """The site's URL: a forwarded port, or the address that visitors come to."""
    if settings.local_web_port:
        return pulumi.Output.from_input(f"http://127.0.0.1:{settings.local_web_port}/")
    return http_url(address, ports.HTTP if balancer else settings.web_port)
