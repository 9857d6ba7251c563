"""In the end it is all taken away."""

from __future__ import annotations

import pytest

from tests.clone import traces
from tests.fleet.fleet import WebServers

pytestmark = pytest.mark.hosts


def test_down_takes_the_balancer_and_all_servers_away(fleet: WebServers) -> None:
    fleet.site.run("scripts/down local")
    assert traces(fleet.site) == []
