"""How a release goes over the servers; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from components.network.balancer_check import SECONDS_TO_JUDGE
from components.settings.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """In which order and with what care servers switch."""

    batch: str
    """How many servers switch at a time after the first: a number, or a percentage of all."""
    canary_seconds: int
    """How long the first server serves the release before the others follow."""
    settle_seconds: int
    """How long an update may take from the first switch to the last, besides the canary's time.

    When nobody settles it by then, the servers that have switched go back by themselves.
    """
    balancer_seconds: int
    """How long the load balancer takes to judge a server, which the others wait for; 0 without."""
    start_one_by_one: bool
    revert_on_failure: bool

    @classmethod
    def of(cls, settings: Settings) -> Rollout:
        return cls(
            batch=settings.release_batch,
            canary_seconds=settings.canary_seconds,
            settle_seconds=settings.settle_seconds,
            balancer_seconds=SECONDS_TO_JUDGE if settings.balanced else 0,
            start_one_by_one=settings.start_one_by_one,
            revert_on_failure=settings.revert_on_failure,
        )

    def batches(self, servers: int) -> list[range]:
        """The servers' numbers, in the order in which they switch."""
        size = self._batch_size(servers)
        rest = [range(n, min(n + size, servers)) for n in range(1, servers, size)]
        return [range(1), *rest]

    def has_to_settle(self, servers: int) -> bool:
        """Whether a server that has switched may have to go back because another one failed."""
        return servers > 1 and self.revert_on_failure

    def switch_options(self, number: int, servers: int) -> str:
        """Options of `releasectl switch` on that server."""
        watched = max(self.canary_seconds, self.balancer_seconds)
        options = ""
        if self.has_to_settle(servers):
            options += f" --settle-within {watched + self.settle_seconds}"
        if number == 0 and self.canary_seconds:
            options += f" --watch {self.canary_seconds}"
        if number == 0 and self.balancer_seconds:
            options += f" --balancer-judges-in {self.balancer_seconds}"
        return options

    def _batch_size(self, servers: int) -> int:
        if self.batch.endswith("%"):
            return max(1, math.floor(servers * int(self.batch[:-1]) / 100))
        return int(self.batch)
