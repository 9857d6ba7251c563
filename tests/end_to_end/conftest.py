"""The environment that all stories share, in the order of their files."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clone import Clone, Place
from tests.environment import environment_of_its_own


@pytest.fixture(scope="session")
def site() -> Iterator[Clone]:
    """The environment `local`, brought up once; every test leaves it serving."""
    with environment_of_its_own(Place()) as clone:
        yield clone
