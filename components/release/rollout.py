"""How a release is rolled out over the servers; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from components.network.balancer_check import SECONDS_TO_JUDGE
from components.settings.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """The order in which servers switch, and how each one is watched."""

    batch: str
    """How many servers switch at a time after the first: a number, or a percentage of all."""
    canary_seconds: int
    """How long the first server serves the release before the others follow."""
    confirm_seconds: int
    """How long an update may take from the first switch to the last, plus the canary's time.

    Servers that have switched go back by themselves unless the switch is confirmed by then.
    """
    balancer_seconds: int
    """How long the load balancer takes to remove an unhealthy server; 0 without one."""
    start_one_by_one: bool
    rollback_on_failure: bool

    @classmethod
    def of(cls, settings: Settings) -> Rollout:
        return cls(
            batch=settings.release_batch,
            canary_seconds=settings.canary_seconds,
            confirm_seconds=settings.confirm_seconds,
            balancer_seconds=SECONDS_TO_JUDGE if settings.balanced else 0,
            start_one_by_one=settings.start_one_by_one,
            rollback_on_failure=settings.rollback_on_failure,
        )

    def batches(self, servers: int) -> list[range]:
        """The indexes of the servers, in the order in which they switch."""
        size = self._batch_size(servers)
        rest = [range(n, min(n + size, servers)) for n in range(1, servers, size)]
        return [range(1), *rest]

    def must_confirm(self, servers: int) -> bool:
        """Whether a server that has switched must go back if another one fails."""
        return servers > 1 and self.rollback_on_failure

    def switch_options(self, number: int, servers: int) -> str:
        """Options of `releasectl switch` on the server with this index."""
        watched = max(self.canary_seconds, self.balancer_seconds)
        options = ""
        if self.must_confirm(servers):
            options += f" --confirm-within {watched + self.confirm_seconds}"
        if number == 0 and self.canary_seconds:
            options += f" --watch {self.canary_seconds}"
        if number == 0 and self.balancer_seconds:
            options += f" --watch-behind-balancer {self.balancer_seconds}"
        return options

    def _batch_size(self, servers: int) -> int:
        if self.batch.endswith("%"):
            return max(1, math.floor(servers * int(self.batch[:-1]) / 100))
        return int(self.batch)
