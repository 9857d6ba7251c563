"""Stories of the end: whatever was made is taken away, whatever died before."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from local_cloud.hosts import unreachable
from local_cloud.hosts.cleanup import remove_cloud
from local_cloud.hosts.hypervisor import NspawnHypervisor
from local_cloud.hosts.process import owned_by
from local_cloud.machine import Forward, MachineError, Network

if TYPE_CHECKING:
    from tests.local_cloud.hosts.conftest import Site

pytestmark = pytest.mark.hosts


def traces(site: Site) -> dict[str, object]:
    """All of this computer that a cloud changes and that names the cloud; empty when it is gone."""
    tag = site.hypervisor.names.tag

    def lines(*command: str) -> list[str]:
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        return [line for line in text.splitlines() if re.search(rf"sw{tag}|slipway.{tag}", line)]

    found: dict[str, object] = {
        "cards": lines("ip", "-o", "link"),
        "addresses": lines("ip", "-o", "address"),
        "routes": lines("ip", "route", "show", "table", "all"),
        "unreachable": unreachable.found(site.hypervisor.names),
        "namespaces": lines("ip", "netns", "list"),
        "tables": lines("nft", "list", "tables"),
        "mounts": lines("cat", "/proc/mounts"),
        "own mounts": str(site.hypervisor.state) in Path("/proc/mounts").read_text(),
        "groups": groups(f"slipway-{tag}-"),
        "processes": owned_by(tag),
        "settings": list(Path("/run/slipway").glob(f"*{tag}*")),
        "nspawn": folders_with(tag, Path("/run/systemd/nspawn")),
        "cache users": list((site.hypervisor.cache / "apt/users").glob(tag)),
        "machines": list(site.hypervisor.state.glob("machines/*")),
    }
    return {name: value for name, value in found.items() if value}


def groups(prefix: str) -> list[str]:
    """The control groups of a cloud, wherever they are."""
    return [path for path in walked(Path("/sys/fs/cgroup")) if Path(path).name.startswith(prefix)]


def folders_with(word: str, top: Path) -> list[str]:
    """What is below a folder and has a word in its name."""
    return [path for path in walked(top) if word in Path(path).name]


def walked(top: Path) -> list[str]:
    """All that is below a folder.

    Others' groups come and go meanwhile: `os.walk` goes past a folder that has gone, where a
    recursive `Path.glob` fails.
    """
    return [
        os.path.join(folder, name)  # noqa: PTH118
        for folder, inner, files in os.walk(top)
        for name in (*inner, *files)
    ]


def settle(site: Site) -> None:
    """Two machines, a forward and a firewall's table."""
    site.boot("web", 1)
    web = site.boot("db", 2)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    forward = Forward(loopback_port=port, address=web.private.address, port=22)
    site.hypervisor.apply_network(Network(forwards=(forward,)))
    assert len(traces(site)) > 8


def test_looking_for_traces_goes_past_groups_that_come_and_go(tmp_path: Path) -> None:
    ended = threading.Event()

    def others() -> None:
        while not ended.is_set():
            for number in range(20):
                (tmp_path / f"group-{number}/inner").mkdir(parents=True)
            for number in range(20):
                shutil.rmtree(tmp_path / f"group-{number}")

    (tmp_path / "ours/slipway").mkdir(parents=True)
    thread = threading.Thread(target=others)
    thread.start()
    try:
        for _ in range(300):
            assert folders_with("slipway", tmp_path) == [str(tmp_path / "ours/slipway")]
    finally:
        ended.set()
        thread.join()


def test_destroying_every_machine_leaves_nothing(site: Site) -> None:
    forwarding = Path("/proc/sys/net/ipv4/ip_forward")
    others = list(Path("/run/slipway").glob("cloud-*"))
    before = forwarding.read_text()
    settle(site)
    assert forwarding.read_text() == "1\n"

    site.hypervisor.apply_network(Network())
    for spec in site.machines.values():
        site.hypervisor.destroy(spec.id)

    assert traces(site) == {}
    if not others and not list(Path("/run/slipway").glob("cloud-*")):
        assert forwarding.read_text() == before


def test_a_reset_leaves_nothing(site: Site) -> None:
    settle(site)
    remove_cloud(site.hypervisor.state, site.hypervisor.cache)
    assert traces(site) == {}


def kill_everything(site: Site) -> None:
    """As a container does that goes; a busy machine takes a moment over it."""
    tag = site.hypervisor.names.tag
    deadline = time.monotonic() + 30
    while found := owned_by(tag):
        assert time.monotonic() < deadline, f"still there: {found}"
        for process in found:
            with contextlib.suppress(ProcessLookupError):  # some end with another
                os.kill(process.pid, signal.SIGKILL)
        time.sleep(0.05)


def test_a_reset_after_everything_was_killed_leaves_nothing(site: Site) -> None:
    settle(site)
    kill_everything(site)
    remove_cloud(site.hypervisor.state, site.hypervisor.cache)
    assert traces(site) == {}


def test_what_a_killed_cloud_left_is_in_no_other_cloud_s_way(site: Site, tmp_path: Path) -> None:
    settle(site)
    network = site.machines["web"].private.network
    site.hypervisor.apply_network(Network(ranges=(network,)))
    other = NspawnHypervisor(tmp_path / "other", site.hypervisor.cache)
    with pytest.raises(MachineError, match="of another local cloud on this computer"):
        other.check_network(network)

    kill_everything(site)
    other.check_network(network)
    assert traces(site).keys() == {"machines"}, "its disks are its own, for its next start"

    web = site.machines["web"]
    site.hypervisor.start(web)
    assert site.says(web, "hostname") == "web"


def test_a_reset_needs_no_records(site: Site) -> None:
    settle(site)
    for record in site.hypervisor.state.rglob("*.json"):
        if record.parent.name in ("1001", "1002") or record.parent == site.hypervisor.state:
            record.unlink()
    remove_cloud(site.hypervisor.state, site.hypervisor.cache)
    assert traces(site) == {}


def test_a_killed_runner_leaves_what_destroy_removes(site: Site) -> None:
    web = site.boot("web", 1)
    process = site.hypervisor._process(web.id).process
    assert process is not None
    process.signal(signal.SIGKILL)
    process.wait(5)
    site.hypervisor.destroy(web.id)
    assert traces(site) == {}


def test_a_reset_of_one_cloud_does_not_touch_another(
    site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    from dataclasses import replace

    from local_cloud.machine import Interface

    web = site.boot("web", 1)
    other = NspawnHypervisor(tmp_path_factory.mktemp("other"), site.hypervisor.cache)
    public = other.public_network()
    network = web.private.network.supernet(new_prefix=16)
    private = next(n for n in network.subnets(new_prefix=24) if str(n) == "192.168.124.0/24")
    twin = replace(
        web,
        public=Interface(address=public[10], network=public),
        private=Interface(address=private[10], network=private),
    )
    other.create(twin)
    assert site.says(twin, "hostname") == "web"

    remove_cloud(other.state, other.cache)

    assert site.says(web, "echo here") == "here"
    assert site.says(web, "apt-get update -qq && echo updated") == "updated"
