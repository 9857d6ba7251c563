"""What happened last with a site's certificate, and when it is tried again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from .settings import Settings, SiteSettings
from .web_server import write_durably

#: Minutes until the next try, after each failure in a row; the last one from then on. The CA allows
#: five failures for a name in an hour (letsencrypt.org, "Rate Limits").
PAUSES = (1, 10, 100, 1440)
#: Nothing is asked of the CA while a name does not lead here, so that is looked at more often.
MINUTES_OF_WAITING = 5


@dataclass(frozen=True)
class Memory:
    """All times are seconds since 1970."""

    outcome: str = ""
    """One of `ordered`, `adopted`, `waiting`, `failed`; empty where nothing has happened yet."""
    reason: str = ""
    """Of the last failure, or what is waited for."""
    at: float = 0
    failures: int = 0
    """In a row."""
    next_try: float = 0
    serial: str = ""
    """The certificate for which the times below hold."""
    renew_at: float = 0
    """From when on it is to be renewed; 0 where the CA has not said."""
    ask_again_at: float = 0
    """When the CA is asked for that time again."""

    def done(self, outcome: str, now: datetime) -> Memory:
        return replace(self, outcome=outcome, reason="", at=now.timestamp(), failures=0, next_try=0)

    def waiting(self, reason: str, now: datetime) -> Memory:
        at = now.timestamp()
        return replace(
            self, outcome="waiting", reason=reason, at=at, next_try=at + 60 * MINUTES_OF_WAITING
        )

    def failed(self, reason: str, retry_after: float | None, now: datetime) -> Memory:
        minutes = PAUSES[min(self.failures, len(PAUSES) - 1)]
        # More than a day is not believed: nobody would look after it meanwhile.
        pause = max(60 * minutes, min(retry_after or 0, 60 * PAUSES[-1]))
        at = now.timestamp()
        return replace(
            self,
            outcome="failed",
            reason=reason,
            at=at,
            failures=self.failures + 1,
            next_try=at + pause,
        )

    def about(self, serial: str) -> Memory:
        """Without the times of another certificate."""
        return (
            self
            if self.serial == serial
            else replace(self, serial=serial, renew_at=0, ask_again_at=0)
        )


def path_of(settings: Settings, site: SiteSettings) -> Path:
    return settings.state / f"{site.app}.json"


def recall(settings: Settings, site: SiteSettings) -> Memory:
    try:
        return Memory(**json.loads(path_of(settings, site).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Memory()


def remember(settings: Settings, site: SiteSettings, memory: Memory) -> None:
    settings.state.mkdir(parents=True, exist_ok=True)
    write_durably(path_of(settings, site), json.dumps(asdict(memory)) + "\n")
