"""Three bare servers, which all stories of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clone import Place, copy_of_the_project
from tests.environment import local_cloud, require_root
from tests.own_hosts.machines import OwnServers


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServers]:
    """As somebody has them who has never heard of Slipway."""
    require_root()
    place = Place(number=Place().number + 5)
    clone = copy_of_the_project(tmp_path_factory.mktemp("slipway"), place)
    servers = OwnServers(clone)
    try:
        servers.order()
        yield servers
    finally:
        local_cloud(clone, "reset")
