"""One web server and its database, for every app server, application and number of sites."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clone import Clone, Place
from tests.environment import environment_of_its_own


@pytest.fixture(scope="session")
def site() -> Iterator[Clone]:
    """Each file leaves it as it was."""
    with environment_of_its_own(Place(number=Place().number + 3), "slipway:workers: 2") as clone:
        yield clone
