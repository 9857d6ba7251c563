"""The local cloud as a real process: its lock, its token, its end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.local_cloud.api.conftest import DROPLET, wait_until

PROJECT = Path(__file__).parents[3]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Start]:
    """Starts clouds over one state folder; all are ended with the test."""
    processes = []

    def start(port: int = port, failure: str = "") -> subprocess.Popen[str]:
        state, machines = tmp_path / "state", tmp_path / "machines"
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.local_cloud.api.serve_in_memory",
                str(state),
                str(machines),
                str(port),
                failure,
            ],
            cwd=PROJECT,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def connect(state: Path, port: int) -> httpx.Client:
    """A client of the cloud, once it answers."""
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)

    def answers() -> bool:
        try:
            return client.get("/healthz").is_success
        except httpx.TransportError:
            return False

    wait_until(answers)
    client.headers["Authorization"] = f"Bearer {(state / 'token').read_text().strip()}"
    return client


def test_it_answers_at_both_addresses_of_this_machine(start: Start, state: Path, port: int) -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
    start()
    connect(state, port)
    answer = httpx.get(f"http://[::1]:{port}/healthz", trust_env=False)
    assert answer.is_success


def settled(client: httpx.Client, number: int) -> dict[str, Any]:
    wait_until(lambda: not client.get(f"/v2/droplets/{number}").json()["droplet"]["locked"])
    droplet: dict[str, Any] = client.get(f"/v2/droplets/{number}").json()["droplet"]
    return droplet


def test_who_serves_a_port_is_told_with_its_folder(start: Start, state: Path, port: int) -> None:
    process = start()
    told = connect(state, port).get("/healthz").json()
    assert told == {
        "service": "slipway-local-cloud",
        "state": str(state),
        "pid": process.pid,
    }


def test_what_is_secret_can_be_read_by_its_owner_only(start: Start, state: Path, port: int) -> None:
    start()
    client = connect(state, port)
    order = DROPLET | {"user_data": "a private key"}
    assert client.post("/v2/droplets", json=order).status_code == 202
    assert client.post("/v2/droplets", json=order | {"size": "none"}).status_code == 422
    for file in state.iterdir():
        assert file.stat().st_mode & 0o077 == 0 or file.name == "lock", file
    wait_until(lambda: "create of droplet 1001" in (state / "cloud.log").read_text())
    log = (state / "cloud.log").read_text()
    assert "a private key" not in log
    assert (state / "token").read_text().strip() not in log


def test_killed_in_the_middle_of_work_nothing_answered_is_lost(
    start: Start, state: Path, port: int
) -> None:
    process = start()
    client = connect(state, port)
    made: list[int] = []

    def order(number: int) -> None:
        try:
            answer = client.post("/v2/droplets", json=DROPLET | {"name": f"host-{number}"})
        except httpx.TransportError:
            return
        if answer.status_code == 202:
            made.append(answer.json()["droplet"]["id"])

    with ThreadPoolExecutor(4) as orders:
        orders.map(order, range(40))
        wait_until(lambda: len(made) >= 10)
        process.send_signal(signal.SIGKILL)
    process.wait()

    start()
    client = connect(state, port)
    listed = client.get("/v2/droplets?per_page=200").json()["droplets"]
    assert {droplet["id"] for droplet in listed} >= set(made)
    for droplet in listed:
        assert settled(client, droplet["id"])["status"] == "active"
    actions = client.get("/v2/actions?per_page=200").json()["actions"]
    assert {action["status"] for action in actions} == {"completed"}
    addresses = [str(network) for droplet in listed for network in droplet["networks"]["v4"]]
    assert len(addresses) == len(set(addresses))


def test_a_token_lasts_over_restarts(start: Start, state: Path, port: int) -> None:
    process = start()
    first = connect(state, port).headers["Authorization"]
    process.terminate()
    process.wait()
    start()
    client = connect(state, port)
    assert client.headers["Authorization"] == first
    assert client.get("/v2/account").is_success


def test_a_second_cloud_on_one_folder_is_refused(start: Start, state: Path, port: int) -> None:
    first = start()
    client = connect(state, port)
    second = start(port=port + 1)
    _, told = second.communicate(timeout=20)
    assert second.returncode == 1
    assert f"(process {first.pid}) already uses the state folder {state}" in told
    assert client.get("/v2/account").is_success


def test_a_taken_port_is_told(start: Start, port: int) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        process = start()
        _, told = process.communicate(timeout=20)
    assert process.returncode == 1
    assert told.strip() == (
        f"error: port {port} on 127.0.0.1 is taken by another program; choose another with --port"
    )


def test_without_firewalls_there_is_no_cloud(start: Start) -> None:
    process = start(failure="nft is missing")
    _, told = process.communicate(timeout=20)
    assert process.returncode == 1
    assert told.strip() == "error: the local cloud could not start: nft is missing"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_an_end_by_signal_is_quick_quiet_and_leaves_the_droplets(
    start: Start, state: Path, port: int, tmp_path: Path, how: signal.Signals
) -> None:
    process = start()
    client = connect(state, port)
    client.post("/v2/droplets", json=DROPLET)
    settled(client, 1001)
    began = time.monotonic()
    process.send_signal(how)
    _, told = process.communicate(timeout=20)
    assert time.monotonic() - began < 3
    assert (process.returncode, told) == (0, "")
    assert (tmp_path / "machines" / "1001").exists()
