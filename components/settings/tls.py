"""Where HTTPS ends: chosen from the settings, with the reason; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, collapse_addresses
from typing import Any, Literal

import pulumi

from components.core import ports
from components.core.errors import SlipwayError
from components.settings import own_certificate
from components.settings.settings import Settings
from components.settings.site import Site

#: Name of the stack output that says whether browsers were told to insist on HTTPS.
HSTS_OUTPUT = "hsts"
#: Its value while they are told to, and once they are told to forget it.
INSISTS, FORGETS = "insists", "forgets"


Mode = Literal["servers", "balancer", "own", "off"]


@dataclass(frozen=True, kw_only=True)
class Tls:
    """What became of the settings of HTTPS, for the whole environment."""

    mode: Mode = "off"
    why: str = ""
    """A sentence for the preview; empty where nothing has to be said."""
    is_warning: bool = False
    certified: tuple[str, ...] = ()
    """The applications with a certificate, by name."""
    plain: tuple[str, ...] = ()
    """Names that are served without HTTPS all the same: wildcards, which no such CA signs."""
    url: str = ""
    """Where visitors of the first site come in over HTTPS; empty where they do not."""
    visited: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """For the stack's output `https`: by application its `names` and the `port` to ask at."""
    hsts: str = ""
    """`INSISTS`, `FORGETS`, or empty where browsers were never told anything."""

    def visited_ports(self, settings: Settings) -> list[int]:
        """The ports on which a server serves visitors."""
        return [settings.web_port, *([ports.HTTPS] if self.ends_at_servers else [])]

    @property
    def ends_at_servers(self) -> bool:
        return self.mode in ("servers", "own")


HTTPS_OFF = Tls()


def certified_names(settings: Settings) -> list[str]:
    """The names that a site's certificate is for: a CA that asks over HTTP signs no wildcard."""
    names = [*settings.server_names, *settings.redirect_names]
    return [each for each in names if settings.tls == "own" or not each.startswith("*.")]


def choose(sites: Sequence[Site], earlier: Mapping[str, Any], *, project: str = "slipway") -> Tls:
    """Decide.

    Args:
        sites: of the environment, the first one first.
        earlier: the outputs of the last successful update.
        project: prefix of settings in messages.

    Raises:
        SlipwayError: HTTPS is asked for by name, and cannot be; or it would go while browsers
            still insist on it.
    """
    settings, told = sites[0].settings, str(earlier.get(HSTS_OUTPUT) or "")
    certified = tuple(each.name for each in sites if certified_names(each.settings))
    mode = _mode(settings)
    missing = _missing(mode, settings, certified, project)
    if settings.tls not in ("auto", "off") and missing:
        raise SlipwayError(f"{project}:tls is {settings.tls}: {missing}")
    if mode == "off" or missing:
        if told == INSISTS:
            raise SlipwayError(
                f"{project}:tls is {settings.tls}, and the site would go on without HTTPS, on which"
                f" browsers insist since {project}:hstsSeconds was set: update once with"
                f" {project}:hstsSeconds 0, and wait until they have all been told"
                f"{f' ({missing})' if missing else ''}"
            )
        is_warning = settings.tls == "auto" and bool(certified)
        why = f"the site is served without HTTPS: {missing}" if is_warning else ""
        return Tls(why=why, is_warning=is_warning)
    plain = _plain_names(sites, mode)
    if plain and settings.tls != "auto":
        raise SlipwayError(
            f"{project}:tls is {settings.tls}, and serverNames has {plain[0]}: a CA that asks over"
            f" HTTP signs no wildcard: {project}:tls auto serves it without HTTPS, and own with a"
            " certificate of your own"
        )
    if mode == "own":
        for each in sites:
            if each.name in certified:
                _check_own(each)
    return Tls(
        mode=mode,
        why=f"HTTPS of {', '.join(_names(sites))} ends at {_WHERE[mode]}",
        certified=certified,
        plain=plain,
        url=_url(settings),
        visited={
            each.name: {
                "names": certified_names(each.settings),
                "port": settings.local_tls_port or ports.HTTPS,
            }
            for each in sites
            if each.name in certified
        },
        hsts=INSISTS if settings.hsts_seconds else FORGETS if told else "",
    )


def _names(sites: Sequence[Site]) -> list[str]:
    return [name for each in sites for name in certified_names(each.settings)]


def _plain_names(sites: Sequence[Site], mode: Mode) -> tuple[str, ...]:
    every = [name for each in sites for name in each.all_names]
    return tuple(each for each in every if mode != "own" and each.startswith("*."))


def _url(settings: Settings) -> str:
    names = certified_names(settings)
    port = f":{settings.local_tls_port}" if settings.local_tls_port else ""
    return f"https://{names[0]}{port}/" if names else ""


def _check_own(site: Site) -> None:
    settings = site.settings
    for name, value in (
        ("certificate", settings.certificate),
        ("certificateKey", settings.certificate_key),
    ):
        if not value:
            raise SlipwayError(
                f"{site.key}tls is own, and {site.key}{name} is empty: must be text in PEM"
            )
    own_certificate.check(
        settings.certificate,
        settings.certificate_key,
        certified_names(settings),
        prefix=site.key,
    )


_WHERE = {
    "servers": "nginx on the servers, which order the certificates and renew them",
    "own": "nginx on the servers, with a certificate of your own",
    "balancer": "the load balancer, for which DigitalOcean orders a certificate and renews it",
}


def _mode(settings: Settings) -> Mode:
    """The word of the setting, or what fits best."""
    match settings.tls:
        case "off":
            return "off"
        case "servers":
            return "servers"
        case "balancer":
            return "balancer"
        case "own":
            return "own"
        case _:
            by_balancer = settings.balanced and settings.dns == "digitalocean"
            return "balancer" if by_balancer else "servers"


def _missing(mode: Mode, settings: Settings, certified: Sequence[str], project: str) -> str:
    """What a certificate cannot be had for; empty if it can."""
    if mode == "off":
        return ""
    if not certified:
        return f"no site has a name: set {project}:serverNames"
    if mode == "balancer":
        return _missing_at_balancer(settings, project)
    if mode == "own":
        return ""
    if not settings.balanced and settings.web_port != ports.HTTP:
        return f"{project}:webPort is {settings.web_port}, and a CA asks at port {ports.HTTP} only"
    if not settings.balanced and not _open_to_all(settings.http_from):
        return f"{project}:httpFrom does not let everybody in, and a CA asks from anywhere"
    if not settings.acme_terms_agreed:
        return (
            f"the CA ({settings.acme_server}) wants its terms of service agreed to: pulumi config"
            " set acmeTermsAgreed true"
        )
    return ""


def _open_to_all(networks: Sequence[str]) -> bool:
    return list(collapse_addresses(map(IPv4Network, networks))) == [IPv4Network("0.0.0.0/0")]


def _missing_at_balancer(settings: Settings, project: str) -> str:
    if not settings.balanced:
        return (
            f"there is no load balancer: set {project}:loadBalancer true, or {project}:webCount to"
            " 2 or more"
        )
    if settings.dns != "digitalocean":
        return (
            "DigitalOcean orders certificates only for names in its own DNS: set"
            f" {project}:dns digitalocean, or {project}:tls servers"
        )
    return ""


def tell(tls: Tls) -> None:
    """Say in previews and updates what was chosen."""
    if tls.plain:
        pulumi.log.warn(
            f"{', '.join(tls.plain)}: served without HTTPS, for a CA that asks over HTTP signs no"
            " wildcard"
        )
    if tls.is_warning:
        pulumi.log.warn(tls.why)
    elif tls.why and pulumi.runtime.is_dry_run():
        pulumi.log.info(tls.why)
