"""Chains that are there already: this server's own, the kept one, those of other servers."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from .chain import Chain, parse_chain, read_chain
from .settings import Settings, SiteSettings

SECONDS_FOR_A_PEER = 3.0
LONGEST_CHAIN = 100_000


def best_chain(
    settings: Settings, site: SiteSettings, key: ec.EllipticCurvePrivateKey, now: datetime
) -> Chain | None:
    """The one that lasts longest of those that can be served; None where there is none."""
    good = [
        chain
        for chain in known_chains(settings, site)
        if not chain.problem(key, set(site.names), now)
        and chain.acme_server == settings.acme_server
    ]
    return max(good, key=lambda each: each.ends, default=None)


def known_chains(settings: Settings, site: SiteSettings) -> Iterator[Chain]:
    found = [read_chain(site.chain), read_chain(site.kept)]
    found += [ask_peer(address, settings.port, site.app) for address in settings.peers]
    yield from filter(None, found)


def ask_peer(address: str, port: int, app: str) -> Chain | None:
    """What another server serves. It need not be believed: the site's key has to fit it."""
    connection = http.client.HTTPConnection(address, port, timeout=SECONDS_FOR_A_PEER)
    try:
        connection.request("GET", f"/.well-known/slipway/{app}.pem", headers={"Host": "slipway"})
        answer = connection.getresponse()
        text = answer.read(LONGEST_CHAIN)
        # `length` is what of it has not come: the connection was lost, or it is too long.
        is_whole = answer.status == 200 and not answer.length
        return parse_chain(text.decode()) if is_whole else None
    except (OSError, http.client.HTTPException, UnicodeDecodeError):
        return None
    finally:
        connection.close()
