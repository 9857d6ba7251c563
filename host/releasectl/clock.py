"""Times in the format of the journal."""

from __future__ import annotations

import re
import time


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def seconds_of(text: str) -> float:
    """Parse what `now` wrote, into seconds since 1970."""
    import calendar

    # Three times as fast as strptime, which matters for hundreds of entries.
    return float(calendar.timegm((*map(int, re.findall(r"\d+", text)), 0, 0, 0)))
