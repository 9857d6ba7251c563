"""When a certificate is to be renewed, and by which server."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from .chain import Chain
from .console import CertificateError
from .memory import Memory
from .order import renewal_time
from .settings import Settings

#: How long each server leaves it to those before it.
HOURS_OF_A_TURN = 12
#: A certificate of fewer days is renewed at half of its life, any other when a third is left
#: (letsencrypt.org, "Integration Guide").
SHORT_DAYS = 10


def with_times(settings: Settings, chain: Chain, memory: Memory, now: datetime) -> Memory:
    """What the CA says of the right time to renew, asked again whenever it wants to be."""
    memory = memory.about(chain.serial)
    if now.timestamp() < memory.ask_again_at:
        return memory
    try:
        wanted, again = renewal_time(settings, chain)
    except CertificateError:
        wanted, again = None, now + timedelta(hours=6)
    # A time that it gave once holds while it gives none.
    renew_at = wanted.timestamp() if wanted else memory.renew_at
    return replace(memory, renew_at=renew_at, ask_again_at=again.timestamp())


def renewal_begins(chain: Chain, memory: Memory) -> datetime:
    """From when on some server renews it."""
    # A time after the end can only be a mistake: the site would be without a certificate.
    if memory.serial == chain.serial and 0 < memory.renew_at < chain.ends.timestamp():
        return datetime.fromtimestamp(memory.renew_at).astimezone()
    life = chain.ends - chain.begins
    part = 2 if life < timedelta(days=SHORT_DAYS) else 3
    return chain.ends - life / part


def is_due(settings: Settings, chain: Chain, memory: Memory, now: datetime) -> bool:
    """Whether it is this server's turn to renew it."""
    begins = renewal_begins(chain, memory)
    turn = timedelta(hours=HOURS_OF_A_TURN * settings.turn)
    # The last turn must not come after the end of a short life.
    return now >= begins + min(turn, max(chain.ends - begins, timedelta()) / 2)
