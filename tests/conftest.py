"""Which tests run one after the other, where `scripts/test` runs several streams side by side.

Tests that share an environment stay together, in their order; all others file by file. The long
ones begin first, or the end would wait for them alone.
"""

from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
#: Folders whose tests share what takes long to make, the longest first.
TOGETHER = ("end_to_end", "fleet", "own_hosts", "local_cloud/hosts", "app")


# First, or pytest-xdist has looked for the marks already.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.xdist_group(stream_of(item.path)))
    items.sort(key=lambda item: turn_of(item.path))


def stream_of(path: Path) -> str:
    """The folder of tests that stay together, or else the file."""
    within = path.relative_to(TESTS).as_posix()
    return next((folder for folder in TOGETHER if within.startswith(f"{folder}/")), within)


def turn_of(path: Path) -> int:
    """When a test's stream begins: the long ones first, then all others as they come."""
    stream = stream_of(path)
    return TOGETHER.index(stream) if stream in TOGETHER else len(TOGETHER)
