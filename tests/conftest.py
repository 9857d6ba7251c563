"""Which tests run one after the other, where `scripts/test --numprocesses N` runs several streams.

Tests that share an environment stay together, in their order; all others file by file. The long
ones begin first, or the end would wait for them alone.
"""

from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).resolve().parent
#: Folders whose tests share what takes long to make, the longest first.
TOGETHER = (
    "end_to_end",
    "changed_settings",
    "fleet",
    "https",
    "app_servers",
    "pipeline",
    "archives",
    "own_hosts",
    "local_cloud/hosts",
    "app",
)


class Streams(LoadScopeScheduling):
    """Sends a stream of tests to a process of pytest that has nothing to do."""

    def _split_scope(self, nodeid: str) -> str:
        return stream_of(nodeid.removeprefix("tests/").partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Streams:
    return Streams(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        stream = stream_of(item.path.relative_to(TESTS).as_posix())
        return TOGETHER.index(stream) if stream in TOGETHER else len(TOGETHER)

    items.sort(key=turn)


def stream_of(path: str) -> str:
    """The folder of tests that stay together, or else the file; of a path within tests/."""
    return next((folder for folder in TOGETHER if path.startswith(f"{folder}/")), path)
