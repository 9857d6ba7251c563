"""Request bodies of load balancers, validated strictly: unknown options are refused.

Defaults and limits are those of DigitalOcean's API description; the limits that it leaves out
(of health checks and cookies) are those that the official provider holds programs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field

from local_cloud.api.errors import unprocessable
from local_cloud.api.identifiers import Number
from local_cloud.api.tags import TagName

TARGETS = {
    "http": ("http",),
    "https": ("http", "https"),
    "http2": ("http", "https", "http2"),
    "tcp": ("tcp",),
}
"""What each entry protocol can be forwarded as; a connection that is passed through, as itself."""

NOT_SUPPORTED = {
    "http3": "http3 is not supported by the local cloud: its haproxy has no QUIC",
    "udp": "udp is not supported by the local cloud",
}
OVER_TLS = ("https", "http2")
HTTPS_PORT = 443
"""Where a redirect of `redirect_http_to_https` leads."""

RESERVED_PORTS = range(50053, 50056)
"""DigitalOcean keeps these of a load balancer's ports for itself."""

SIZES = {"lb-small": 1, "lb-medium": 3, "lb-large": 6}
"""The old sizes, in units."""

Port = Annotated[int, Field(ge=1, le=65535)]
Threshold = Annotated[int, Field(ge=2, le=10)]
CheckSeconds = Annotated[int, Field(ge=3, le=300)]
Path = Annotated[str, Field(pattern=r"^/[A-Za-z0-9/._~%?=&+:@,;*()!-]*$", max_length=255)]


class ForwardingRule(BaseModel):
    entry_protocol: Literal["http", "https", "http2", "http3", "tcp", "udp"]
    entry_port: Port
    target_protocol: Literal["http", "https", "http2", "tcp", "udp"]
    target_port: Port
    certificate_id: str | None = ""
    tls_passthrough: bool | None = False


class HealthCheck(BaseModel):
    protocol: Literal["http", "https", "tcp"] = "http"
    port: Port = 80
    path: Path | Literal[""] | None = None
    check_interval_seconds: CheckSeconds = 10
    response_timeout_seconds: CheckSeconds = 5
    unhealthy_threshold: Threshold = 5
    healthy_threshold: Threshold = 3


class StickySessions(BaseModel):
    type: Literal["none", "cookies"] = "none"
    cookie_name: Annotated[str, Field(pattern=r"^([A-Za-z0-9_-]{2,40})?$")] | None = None
    cookie_ttl_seconds: Annotated[int, Field(ge=0)] | None = None


def _visitor(text: str) -> str:
    kind, _, value = text.partition(":")
    try:
        network = IPv4Network(value)
    except ValueError:
        network = None
    if network is None or kind not in ("ip", "cidr") or (kind == "ip") != ("/" not in value):
        raise ValueError("give 'ip:203.0.113.7' or 'cidr:203.0.113.0/24' (IPv4)")
    return text


Visitor = Annotated[str, AfterValidator(_visitor)]


class VisitorRules(BaseModel):
    allow: list[Visitor] | None = None
    deny: list[Visitor] | None = None


class LoadBalancerRequest(BaseModel):
    """A whole load balancer: what is left out gets its default, in updates as well."""

    name: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9.\-]*$", max_length=255)]
    region: str | None = None
    droplet_ids: list[Number] | None = None
    tag: TagName | Literal[""] | None = None
    forwarding_rules: Annotated[list[ForwardingRule], Field(min_length=1)]
    health_check: HealthCheck | None = None
    sticky_sessions: StickySessions | None = None
    redirect_http_to_https: bool | None = False
    enable_proxy_protocol: bool | None = False
    enable_backend_keepalive: bool | None = False
    http_idle_timeout_seconds: Annotated[int, Field(ge=30, le=600)] | None = None
    disable_lets_encrypt_dns_records: bool | None = False
    vpc_uuid: UUID | Literal[""] | None = None
    size: Literal["lb-small", "lb-medium", "lb-large", ""] | None = None
    size_unit: Annotated[int, Field(ge=1, le=100)] | None = None
    firewall: VisitorRules | None = None
    algorithm: Literal["round_robin", "least_connections", ""] | None = None
    tls_cipher_policy: Literal["DEFAULT", "STRONG", ""] | None = None
    type: Literal["REGIONAL", "REGIONAL_NETWORK", "GLOBAL", ""] | None = None
    network: Literal["EXTERNAL", "INTERNAL", ""] | None = None
    network_stack: Literal["IPV4", "DUALSTACK", ""] | None = None
    project_id: str | None = None
    domains: list[dict[str, Any]] | None = None
    glb_settings: dict[str, Any] | None = None
    target_load_balancer_ids: list[str] | None = None

    def settings(self) -> dict[str, Any]:
        """The request in DigitalOcean's own form, complete; 422 names what cannot be had."""
        _refuse_unsupported(self)
        return {
            "forwarding_rules": checked_rules(self.forwarding_rules),
            "health_check": _health_check(self.health_check or HealthCheck()),
            "sticky_sessions": _sticky_sessions(self.sticky_sessions or StickySessions()),
            "firewall": _firewall(self.firewall or VisitorRules()),
            "redirect_http_to_https": _redirects(self),
            "enable_proxy_protocol": bool(self.enable_proxy_protocol),
            "enable_backend_keepalive": bool(self.enable_backend_keepalive),
            "http_idle_timeout_seconds": self.http_idle_timeout_seconds or 60,
            "disable_lets_encrypt_dns_records": bool(self.disable_lets_encrypt_dns_records),
            "tls_cipher_policy": self.tls_cipher_policy or "DEFAULT",
            "algorithm": self.algorithm or "round_robin",
            "size_unit": self.size_unit or SIZES[self.size or "lb-small"],
        }


def _refuse_unsupported(wanted: LoadBalancerRequest) -> None:
    for field, allowed in (
        ("type", "REGIONAL"),
        ("network", "EXTERNAL"),
        ("network_stack", "IPV4"),
    ):
        value = getattr(wanted, field)
        if value and value != allowed:
            raise unprocessable(
                field, f"{value} is not supported by the local cloud; use {allowed}"
            )
    for field in ("project_id", "domains", "glb_settings", "target_load_balancer_ids"):
        if getattr(wanted, field):
            raise unprocessable(field, "not supported by the local cloud")


def _redirects(wanted: LoadBalancerRequest) -> bool:
    if not wanted.redirect_http_to_https:
        return False
    for rule in wanted.forwarding_rules:
        if rule.entry_protocol in OVER_TLS and rule.entry_port == HTTPS_PORT:
            return True
    raise unprocessable(
        "redirect_http_to_https", f"there is no forwarding rule for https on port {HTTPS_PORT}"
    )


def checked_rules(rules: Sequence[ForwardingRule]) -> list[dict[str, Any]]:
    """Forwarding rules in their own form; each entry port leads to one place."""
    ports: set[int] = set()
    for index, rule in enumerate(rules):
        path = f"forwarding_rules.{index}"
        _check_protocols(path, rule)
        if rule.entry_port in RESERVED_PORTS:
            message = f"{RESERVED_PORTS[0]} to {RESERVED_PORTS[-1]} are DigitalOcean's own"
            raise unprocessable(f"{path}.entry_port", message)
        if rule.entry_port in ports:
            raise unprocessable(f"{path}.entry_port", f"{rule.entry_port} has two rules")
        ports.add(rule.entry_port)
    return [
        rule.model_dump()
        | {
            "certificate_id": rule.certificate_id or "",
            "tls_passthrough": bool(rule.tls_passthrough),
        }
        for rule in rules
    ]


def _check_protocols(path: str, rule: ForwardingRule) -> None:
    entry, target = rule.entry_protocol, rule.target_protocol
    if entry in NOT_SUPPORTED:
        raise unprocessable(f"{path}.entry_protocol", NOT_SUPPORTED[entry])
    if entry not in OVER_TLS:
        for field in ("certificate_id", "tls_passthrough"):
            if getattr(rule, field):
                raise unprocessable(f"{path}.{field}", f"of no use with {entry}")
    elif rule.certificate_id and rule.tls_passthrough:
        message = "of no use where TLS is passed through: the droplets have the certificate"
        raise unprocessable(f"{path}.certificate_id", message)
    elif not rule.certificate_id and not rule.tls_passthrough:
        message = f"{entry} needs a certificate, unless tls_passthrough is true"
        raise unprocessable(f"{path}.certificate_id", message)
    allowed = (entry,) if rule.tls_passthrough else TARGETS[entry]
    if target not in allowed:
        how = " when passed through" if rule.tls_passthrough else ""
        message = f"{entry} can be forwarded as {' or '.join(allowed)} only{how}"
        raise unprocessable(f"{path}.target_protocol", message)


def _health_check(check: HealthCheck) -> dict[str, Any]:
    if check.protocol == "tcp" and check.path:
        raise unprocessable("health_check.path", "a tcp check has none")
    return check.model_dump() | {"path": "" if check.protocol == "tcp" else check.path or "/"}


def _sticky_sessions(sessions: StickySessions) -> dict[str, Any]:
    told = sessions.model_dump(exclude_none=True)
    for field in ("cookie_name", "cookie_ttl_seconds"):
        if sessions.type == "cookies" and not told.get(field):
            raise unprocessable(f"sticky_sessions.{field}", "required when the type is cookies")
        if sessions.type == "none":
            if told.get(field):
                raise unprocessable(
                    f"sticky_sessions.{field}", "only used when the type is cookies"
                )
            told.pop(field, None)
    return told


def _firewall(rules: VisitorRules) -> dict[str, Any]:
    return {"allow": rules.allow or [], "deny": rules.deny or []}
