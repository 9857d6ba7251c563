"""Cross-field validation: values that are each valid but contradict each other; pure."""

from __future__ import annotations

from ipaddress import IPv4Network

from components.app_servers.registry import APP_SERVERS
from components.core import ports
from components.core.errors import SlipwayError
from components.settings import location
from components.settings.settings import Settings


def check(settings: Settings, prefix: str) -> None:
    """Raise `SlipwayError` if two settings contradict each other.

    Args:
        settings: each of them valid by itself.
        prefix: of their names in messages.
    """
    _check_forwards(settings, prefix)
    if settings.web_port in (ports.SSH, ports.POSTGRESQL):
        raise SlipwayError(
            f"{prefix}webPort is {settings.web_port}, which SSH or PostgreSQL uses:"
            " must be another port, 1 to 65535"
        )
    if settings.web_port == APP_SERVERS[settings.app_server].port:
        raise SlipwayError(
            f"{prefix}webPort is {settings.web_port}, and {prefix}appServer is"
            f" {settings.app_server}, which listens there for nginx: must be another port,"
            " 1 to 65535"
        )
    for name, value in (
        ("artifactEndpoint", settings.artifact_endpoint),
        ("artifactRegion", settings.artifact_region),
        ("artifactPrefix", settings.artifact_prefix),
    ):
        if value and not settings.artifact_bucket:
            raise SlipwayError(
                f"{prefix}{name} is {value}, but no bucket is set:"
                f" set {prefix}artifactBucket too, or neither"
            )
    if settings.app_config_file and settings.app_config_variable in settings.app_env:
        raise SlipwayError(
            f"{prefix}appEnv has the name {settings.app_config_variable}, which is taken:"
            f" {prefix}appConfigVariable says that it names {settings.app_config_file}"
        )
    location.check(
        settings.locations,
        key=f"{prefix}locations",
        static_folder=settings.static_folder,
        health_path=settings.health_path,
    )
    if settings.reserved_ip and settings.balanced:
        raise SlipwayError(
            f"{prefix}reservedIp is true, and the environment has a load balancer, whose address"
            " stays by itself: must be false"
        )
    _check_own_hosts(settings, prefix)
    size = IPv4Network(settings.vpc_range).num_addresses
    for name, number in (
        ("localWebAddress", settings.local_web_address),
        ("localDbAddress", settings.local_db_address),
    ):
        if number == 1 or number >= size - 1:
            raise SlipwayError(
                f"{prefix}{name} is {number}: must be 2 to {min(size - 2, 250)}"
                f" in {settings.vpc_range}, or 0 for any"
            )


def _check_forwards(settings: Settings, prefix: str) -> None:
    taken: dict[int, str] = {}
    for key, port in (
        ("localWebPort", settings.local_web_port),
        ("localTlsPort", settings.local_tls_port),
        ("localDbPort", settings.local_db_port),
    ):
        if port and port in taken:
            raise SlipwayError(
                f"{prefix}{key} is {port}, and so is {prefix}{taken[port]}:"
                " two forwards cannot share a port of 127.0.0.1"
            )
        taken[port] = key


def _check_own_hosts(settings: Settings, prefix: str) -> None:
    """Either all servers are existing ones or none, and they have no DigitalOcean-only settings."""
    if bool(settings.web_hosts) != bool(settings.db_host):
        there, missing = ("webHosts", "dbHost") if settings.web_hosts else ("dbHost", "webHosts")
        raise SlipwayError(
            f"{prefix}{missing} is empty, and {prefix}{there} is not: servers of your own"
            " are all servers of an environment, for both tiers share one network"
        )
    if not settings.own_hosts:
        return
    taken: dict[str, str] = {}
    for name, host in settings.own_hosts.items():
        for address in {host.address, host.private_address}:
            if address in taken:
                raise SlipwayError(
                    f"{address} is both {taken[address]} and {name} in {prefix}webHosts and"
                    f" {prefix}dbHost: each server has a machine of its own"
                )
        taken |= dict.fromkeys((host.address, host.private_address), name)
    ports = {host.port for name, host in settings.own_hosts.items() if name != "db"}
    if settings.web_port in ports:
        raise SlipwayError(
            f"{prefix}webPort is {settings.web_port}, which is the port of SSH in"
            f" {prefix}webHosts: must be another port, 1 to 65535"
        )
    only_at_digitalocean = {
        "webCount": settings.web_count not in (1, len(settings.web_hosts)),
        "loadBalancer": settings.load_balancer,
        "backups": settings.backups,
        "reservedIp": settings.reserved_ip,
        "sshFrom": settings.ssh_from != ["0.0.0.0/0"],
        "localWebPort": bool(settings.local_web_port),
        "localTlsPort": bool(settings.local_tls_port),
        "localDbPort": bool(settings.local_db_port),
        "localWebAddress": bool(settings.local_web_address),
        "localDbAddress": bool(settings.local_db_address),
    }
    for key, is_set in only_at_digitalocean.items():
        if is_set:
            raise SlipwayError(
                f"{prefix}{key} is set, and so is {prefix}webHosts: it has no meaning for"
                " servers of your own"
            )
