"""Stories told to the official plugin and to the stand-in, for a comparison of their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.local_cloud.api.conftest import TOKEN, serving
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor
from tests.local_cloud.plugins.digitalocean.conftest import STAND_IN
from tests.local_cloud.plugins.digitalocean.plugin_process import PluginProcess
from tests.local_cloud.plugins.parity import official_plugin

Answers = dict[str, Any]
Story = Callable[[PluginProcess], Answers]


def told_to_both(
    folders: pytest.TempPathFactory, stories: Sequence[Story]
) -> Iterator[dict[str, list[Future[Answers]]]]:
    """Every story told by both, all at once: the official plugin waits long for each resource."""
    official = str(official_plugin("digitalocean"))

    def tell(story: Story, command: tuple[str, ...]) -> Answers:
        folder = folders.mktemp(story.__name__)
        with serving(folder, MemoryHypervisor()) as api, PluginProcess(command) as plugin:
            plugin.configure({"token": TOKEN, "apiEndpoint": api.url})
            return story(plugin)

    with ThreadPoolExecutor(4) as threads:
        yield {
            story.__name__: [
                threads.submit(tell, story, command) for command in ((official,), STAND_IN)
            ]
            for story in stories
        }
