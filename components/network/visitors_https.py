"""What is known of HTTPS where visitors are let in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from components.settings.tls import HTTPS_OFF, Tls


@dataclass(frozen=True, kw_only=True)
class VisitorsHttps:
    """Where it ends, for whom, and what nginx does once it is there."""

    tls: Tls = HTTPS_OFF
    once_served: Mapping[str, str] = field(default_factory=dict)
    """By the application's name: what nginx does from then on, such as to send visitors there."""

    @property
    def names(self) -> list[str]:
        """Those that have a certificate, of all sites."""
        return [name for each in self.tls.visited.values() for name in each["names"]]
