"""Something that is not as it should be in an environment, and how bad it is; pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

DAY = 86400


class Level(IntEnum):
    """How bad it is; the worst one is the exit status of scripts/status."""

    WELL = 0
    """Only worth a word."""
    WARNING = 1
    """Drift or disagreement: the site serves, but not as it is written down."""
    CRITICAL = 2
    """Something is down or out of reach."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    level: Level
    server: str
    """Empty where it is about the whole environment."""
    text: str
    repair: tuple[str, ...] = ()
    """URNs of the resources that put it right when they are run again."""
    advice: str = ""
    """What a person can do where no update of single resources helps."""
