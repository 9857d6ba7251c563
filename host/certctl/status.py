"""What there is, for scripts/status and for a person."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from .chain import current_time, read_chain
from .memory import recall
from .renewal import renewal_begins
from .settings import Settings, SiteSettings
from .web_server import served_fingerprint


def status_of(settings: Settings, site: SiteSettings) -> dict[str, Any]:
    """Times are seconds since 1970."""
    memory, chain = recall(settings, site), read_chain(site.chain)
    found: dict[str, Any] = {"names": list(site.names), "last": asdict(memory)}
    if chain is None:
        return {**found, "problem": "there is no certificate"}
    served = served_fingerprint(settings, site)
    return {
        **found,
        "placeholder": chain.is_placeholder,
        "issuer": chain.issuer,
        "serial": chain.serial,
        "begins": chain.begins.timestamp(),
        "ends": chain.ends.timestamp(),
        "life_left": chain.life_left(current_time()),
        "renewed_from": renewal_begins(chain, memory).timestamp(),
        "served": served == chain.fingerprint,
    }
