"""Converts the record of a load balancer into the specification for the hosts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any

from local_cloud.api.models import Droplet, LoadBalancer
from local_cloud.machine import (
    Backend,
    Certificate,
    HealthCheck,
    Interface,
    Listener,
    LoadBalancerSpec,
    StickyCookie,
)

HTTP_PORT = 80
"""The one whose visitors `redirect_http_to_https` sends away."""


def load_balancer_spec(
    load_balancer: LoadBalancer,
    droplets: Sequence[Droplet],
    public: IPv4Network,
    certificates: Mapping[str, Certificate],
) -> LoadBalancerSpec:
    """The specification of a load balancer with its present droplets."""
    settings = load_balancer.settings
    return LoadBalancerSpec(
        number=load_balancer.number,
        public=Interface(address=load_balancer.public_address, network=public),
        private=Interface(
            address=load_balancer.private_address, network=load_balancer.vpc.ip_range
        ),
        listeners=tuple(
            _listener(rule, certificates, redirects=settings.get("redirect_http_to_https", False))
            for rule in settings["forwarding_rules"]
        ),
        backends=tuple(
            Backend(machine_id=droplet.id, address=droplet.private_address)
            for droplet in droplets
            if load_balancer.serves(droplet)
        ),
        check=_check(settings["health_check"]),
        sticky=_sticky(settings["sticky_sessions"]),
        speaks_proxy_protocol=settings["enable_proxy_protocol"],
        keeps_backend_connections=settings["enable_backend_keepalive"],
        idle_seconds=settings["http_idle_timeout_seconds"],
        only_strong_ciphers=settings["tls_cipher_policy"] == "STRONG",
        allowed=_networks(settings["firewall"]["allow"]),
        denied=_networks(settings["firewall"]["deny"]),
    )


def _listener(
    rule: dict[str, Any], certificates: Mapping[str, Certificate], *, redirects: bool
) -> Listener:
    entry, passed_on = rule["entry_protocol"], rule["tls_passthrough"]
    read = entry != "tcp" and not passed_on
    return Listener(
        protocol="http" if read else "tcp",
        port=rule["entry_port"],
        target_port=rule["target_port"],
        certificate=certificates[rule["certificate_id"]] if rule["certificate_id"] else None,
        offers_http2=read and entry == "http2",
        target_protocol=rule["target_protocol"] if read else "http",
        redirects_to_https=redirects and entry == "http" and rule["entry_port"] == HTTP_PORT,
    )


def _check(check: dict[str, Any]) -> HealthCheck:
    return HealthCheck(
        protocol=check["protocol"],
        port=check["port"],
        path=check["path"],
        interval_seconds=check["check_interval_seconds"],
        timeout_seconds=check["response_timeout_seconds"],
        failures_until_down=check["unhealthy_threshold"],
        successes_until_up=check["healthy_threshold"],
    )


def _sticky(sessions: dict[str, Any]) -> StickyCookie | None:
    if sessions["type"] != "cookies":
        return None
    return StickyCookie(name=sessions["cookie_name"], seconds=sessions["cookie_ttl_seconds"])


def _networks(entries: Iterable[str]) -> tuple[IPv4Network, ...]:
    """The part after the colon of `ip:203.0.113.7` and `cidr:203.0.113.0/24`."""
    return tuple(IPv4Network(entry.partition(":")[2], strict=False) for entry in entries)
