"""Four web servers behind a load balancer, which all stories of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clone import Place
from tests.environment import environment_of_its_own
from tests.fleet.fleet import WebServers

#: Small servers, and no longer waits than the stories need.
SETTINGS = (
    "slipway:webCount: 4",
    "slipway:webSize: s-1vcpu-512mb-10gb",
    "slipway:workers: 2",
    "slipway:healthSeconds: 8",
    "slipway:drainSeconds: 3",
    "slipway:confirmSeconds: 10",
    "slipway:connectSeconds: 2",
    "slipway:releaseCommandSeconds: 5",
)


@pytest.fixture(scope="session")
def fleet() -> Iterator[WebServers]:
    place = Place(number=Place().number + 4)
    with environment_of_its_own(place, *SETTINGS) as clone:
        yield WebServers(clone)
