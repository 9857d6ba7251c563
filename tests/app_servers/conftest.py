"""One web server and its database, for every app server, application and number of sites."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.clone import Clone, Place
from tests.environment import environment_of_its_own


@pytest.fixture(scope="session")
def site() -> Iterator[Clone]:
    """Each file leaves it as it was."""
    if os.geteuid() != 0:
        pytest.skip("the local cloud boots real hosts, which needs root")
    with environment_of_its_own(Place(number=Place().number + 3)) as clone:
        yield clone
