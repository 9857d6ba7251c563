"""The environment that all stories share, in the order of their files."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.clone import Clone, Place
from tests.environment import environment_of_its_own


@pytest.fixture(scope="session")
def site() -> Iterator[Clone]:
    """The environment `local`, brought up once; every test leaves it serving."""
    if os.geteuid() != 0:
        pytest.skip("the local cloud boots real hosts, which needs root")
    with environment_of_its_own(Place()) as clone:
        yield clone
