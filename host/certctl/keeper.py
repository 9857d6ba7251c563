"""Sees to it that a site has a certificate: adopted where there is one, else ordered."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from .chain import Chain, current_time, read_chain, read_key
from .console import CertificateError, WaitingError, say
from .memory import Memory, recall, remember
from .order import order_chain, thumbprint
from .peers import best_chain
from .placeholder import placeholder
from .reach import wrong_names
from .renewal import is_due, with_times
from .settings import Settings, SiteSettings
from .web_server import install, put, served_fingerprint

NOTE = "/usr/local/sbin/slipway-note"


@contextmanager
def alone(settings: Settings) -> Iterator[None]:
    """One certctl at a time: the timer's, or an update's."""
    settings.state.mkdir(parents=True, exist_ok=True)
    with (settings.state / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare(settings: Settings, site: SiteSettings) -> None:
    """Give nginx something to serve before it starts: a chain that is known, or a placeholder."""
    now, key = current_time(), read_key(site.key)
    chain = best_chain(settings, site, key, now)
    there = read_chain(site.chain)
    if chain is None and there is not None and _serves_meanwhile(there, site):
        return
    chain = chain or placeholder(key, site.names, now)
    if there is None or there.pem != chain.pem:
        put(site, chain)


def _serves_meanwhile(chain: Chain, site: SiteSettings) -> bool:
    """Whether nginx starts with it, though it is not what is wanted: it fits the key."""
    problem = chain.problem(read_key(site.key), set(), current_time())
    return not problem or (chain.is_placeholder and chain.names >= set(site.names))


def keep(settings: Settings, site: SiteSettings, *, force: bool, hurry: bool) -> Memory:
    """Have a good certificate served, ordering one only if there is none, or none that lasts.

    Args:
        settings: of this server.
        site: one of its sites.
        force: order one although there is no need.
        hurry: whether a person waits: it is tried although it was tried a moment ago.
    """
    now, memory = current_time(), recall(settings, site)
    if not (force or hurry) and now.timestamp() < memory.next_try:
        return memory
    try:
        memory = _kept(settings, site, memory, now, force=force)
    except WaitingError as error:
        memory = recall(settings, site).waiting(str(error), now)
    except CertificateError as error:
        memory = memory.failed(str(error), error.retry_after, now)
        note(site, "failed")
    remember(settings, site, memory)
    return memory


def _kept(
    settings: Settings, site: SiteSettings, memory: Memory, now: datetime, *, force: bool
) -> Memory:
    key = read_key(site.key)
    chain = best_chain(settings, site, key, now)
    if chain is not None:
        memory = _adopted(settings, site, chain, memory, now)
        memory = with_times(settings, chain, memory, now)
        remember(settings, site, memory)
        if not force and not is_due(settings, chain, memory, now):
            return memory
    chain = new_chain(settings, site, key, memory, now)
    install(settings, site, chain)
    note(site, "ok")
    return with_times(settings, chain, memory.done("ordered", now), now)


def order_ahead(settings: Settings, site: SiteSettings) -> None:
    """Have a good chain there before nginx is told of it, as when HTTPS has ended elsewhere so far.

    What is missing for that is none of its business: `keep` says so, once nginx knows.
    """
    now, memory, key = current_time(), recall(settings, site), read_key(site.key)
    with suppress(CertificateError):
        chain = best_chain(settings, site, key, now)
        chain = chain or new_chain(settings, site, key, memory, now)
        there = read_chain(site.chain)
        if there is None or there.pem != chain.pem:
            put(site, chain)
            remember(settings, site, memory.done("ordered", now))


def new_chain(
    settings: Settings,
    site: SiteSettings,
    key: EllipticCurvePrivateKey,
    memory: Memory,
    now: datetime,
) -> Chain:
    """A new chain that can be served; its names have to lead here."""
    if wrong := wrong_names(site, thumbprint(settings)):
        raise WaitingError("; ".join(wrong))
    # Before the CA is asked: it signs only so many, and an order may be killed, or the disk full.
    remember(settings, site, memory.failed("the last order was cut short", None, now))
    say(f"{site.app}: ordering a certificate for {', '.join(site.names)}")
    chain = order_chain(settings, site)
    if problem := chain.problem(key, set(site.names), now):
        raise CertificateError(f"the CA's certificate cannot be served: {problem}")
    return chain


def _adopted(
    settings: Settings, site: SiteSettings, chain: Chain, memory: Memory, now: datetime
) -> Memory:
    """Serve what is there already, unless it is served."""
    there = read_chain(site.chain)
    if there is None or there.pem != chain.pem:
        install(settings, site, chain)
        note(site, "ok")
        return memory.done("adopted", now)
    if served_fingerprint(settings, site) != chain.fingerprint:
        install(settings, site, chain)  # such as after a reload that was refused
    if memory.outcome in ("waiting", ""):
        return memory.done("adopted", now)
    return memory


def note(site: SiteSettings, outcome: str) -> None:
    """In the server's journal, which must not fail a renewal."""
    with suppress(OSError):
        subprocess.run([NOTE, "certificate", site.app, outcome], check=False, capture_output=True)
