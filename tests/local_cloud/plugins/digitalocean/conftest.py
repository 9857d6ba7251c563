"""The stand-in as a process of its own, and the local cloud without machines for it to ask."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_cloud.api.conftest import TOKEN, Api, serving
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor
from tests.local_cloud.plugins.digitalocean.plugin_process import PluginProcess

START = Path(__file__).parents[4] / "local_cloud" / "plugins" / "start.py"
STAND_IN = (sys.executable, "-P", str(START), "digitalocean")


@pytest.fixture
def hypervisor() -> MemoryHypervisor:
    return MemoryHypervisor()


@pytest.fixture
def api(tmp_path: Path, hypervisor: MemoryHypervisor) -> Iterator[Api]:
    with serving(tmp_path, hypervisor) as client:
        yield client


@pytest.fixture
def plugin(api: Api) -> Iterator[PluginProcess]:
    with PluginProcess(STAND_IN) as process:
        process.configure({"token": TOKEN, "apiEndpoint": api.url})
        yield process
