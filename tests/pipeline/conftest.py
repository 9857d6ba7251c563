"""A clone as a CI service has it, and a cloud in which nothing is yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clone import Clone, Place, copy_of_the_project, write_settings
from tests.environment import local_cloud, put_under_git, require_root


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    require_root()
    place = Place(number=Place().number + 8)
    clone = copy_of_the_project(tmp_path_factory.mktemp("slipway"), place)
    write_settings(clone)
    put_under_git(clone)
    clone.run("scripts/setup", timeout=1500)
    try:
        local_cloud(clone, "start", f"--port {place.api}")
        yield clone
    finally:
        local_cloud(clone, "reset")
