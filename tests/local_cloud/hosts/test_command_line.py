"""Stories of a person at the command line of the local cloud."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from local_cloud.hosts.names import Names
from local_cloud.hosts.process import owned_by
from tests.local_cloud.services.asking import ask

PROJECT = Path(__file__).resolve().parents[3]


@dataclass
class Person:
    """Types commands for one cloud."""

    state: Path
    port: int

    def types(self, command: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "local_cloud", command, "--state", self.state, *words],
            capture_output=True,
            text=True,
            cwd=PROJECT,
            check=False,
        )

    def asks(self, method: str, path: str, **content: object) -> httpx.Response:
        token = (self.state / "token").read_text().strip()
        return httpx.request(
            method,
            f"http://127.0.0.1:{self.port}/v2/{path}",
            headers={"Authorization": f"Bearer {token}"},
            json=content or None,
        )

    def status(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(self.types("status", "--json").stdout)
        return found


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    someone = Person(tmp_path / "cloud", port)
    yield someone
    someone.types("reset")


def test_every_command_has_help_with_an_example() -> None:
    commands = [
        [],
        ["start"],
        ["stop"],
        ["serve"],
        ["status"],
        ["ssh"],
        ["logs"],
        ["reset"],
        ["acme"],
        ["renew"],
    ]
    for command in [*commands, ["image", "build"]]:
        done = subprocess.run(
            [sys.executable, "-m", "local_cloud", *command, "--help"],
            capture_output=True,
            text=True,
            cwd=PROJECT,
            check=True,
        )
        assert "Example: python -m local_cloud" in done.stdout


@pytest.mark.parametrize(
    "command", [["status"], ["ssh", "web"], ["logs", "web"]], ids=lambda words: words[0]
)
def test_a_cloud_that_does_not_run_is_one_clear_error(person: Person, command: list[str]) -> None:
    done = person.types(*command)
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: the local cloud of {person.state} is not running; "
        "start it with `python -m local_cloud start`\n"
    )
    assert person.types("stop").stdout == "the local cloud was not running\n"


@pytest.mark.hosts
def test_a_day_with_the_local_cloud(person: Person) -> None:
    port = str(person.port)
    assert "answers on" in person.types("start", "--port", port).stdout
    assert "runs already" in person.types("start").stdout
    elsewhere = person.types("start", "--port", "7999")
    assert elsewhere.returncode == 1
    assert f"runs already, on port {port}" in elsewhere.stderr
    assert person.status() == []

    key = person.state.parent / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    public = key.with_suffix(".pub").read_text()
    made = person.asks("POST", "account/keys", name="key", public_key=public).json()["ssh_key"]
    network = person.asks(
        "POST", "vpcs", name="net", region="fra1", ip_range="192.168.126.0/24"
    ).json()["vpc"]
    person.asks(
        "POST",
        "droplets",
        name="web",
        region="fra1",
        size="s-1vcpu-1gb",
        image="debian-12-x64",
        vpc_uuid=network["id"],
        ssh_keys=[made["id"]],
    ).raise_for_status()
    deadline = time.monotonic() + 60
    while person.status()[0]["status"] != "active" and time.monotonic() < deadline:
        time.sleep(0.2)

    (web,) = person.status()
    assert (web["name"], web["private_address"]) == ("web", "192.168.126.10")
    assert "192.168.126.10" in person.types("status").stdout
    here = person.types("ssh", "-i", str(key), "web", "hostname")
    assert here.stdout.strip() == "web", here.stderr
    assert person.types("ssh", "-i", str(key), "web", "exit 7").returncode == 7
    logs = person.types("logs", "--lines", "500", "web").stdout
    assert "==> console <==" in logs
    assert "sshd" in logs.partition("==> journal <==")[2]
    nobody = person.types("ssh", "nobody")
    assert nobody.stderr == "Error: there is no droplet 'nobody'; there are: web\n"

    assert "droplets go on" in person.types("stop").stdout
    assert len(owned_by(Names.of(person.state).tag)) > 1, "the droplet goes on, as its name server"
    assert person.types("start").returncode == 0
    assert person.status()[0]["status"] == "active"
    assert person.types("ssh", "-i", str(key), "web", "hostname").stdout.strip() == "web"

    os.kill(int((person.state / "lock").read_text()), 9)
    started = time.monotonic()
    assert person.types("reset").stdout == "the local cloud is gone, with 1 droplet\n"
    assert time.monotonic() - started < 10
    assert not person.state.exists()
    assert owned_by(Names.of(person.state).tag) == []


@pytest.mark.hosts
def test_a_load_balancer_is_seen_and_outlives_the_cloud(person: Person) -> None:
    """From the order to the reset, with the cloud killed in between."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        loopback_port = probe.getsockname()[1]
    assert person.types("start", "--port", str(person.port)).returncode == 0
    assert person.types("status", "--load-balancers").stdout == "no load balancers\n"
    network = person.asks("POST", "vpcs", name="net", region="fra1", ip_range="192.168.144.0/24")
    droplet = person.asks(
        "POST",
        "droplets",
        name="web",
        region="fra1",
        size="s-1vcpu-1gb",
        image="debian-12-x64",
        vpc_uuid=network.json()["vpc"]["id"],
        tags=[f"local:balancer:{loopback_port}"],
        user_data="#!/bin/sh\nsystemd-run python3 -m http.server 80 --directory /etc/cloud\n",
    ).json()["droplet"]
    port_80 = {
        "entry_protocol": "http",
        "entry_port": 80,
        "target_protocol": "http",
        "target_port": 80,
    }
    order = {
        "name": "front",
        "region": "fra1",
        "vpc_uuid": network.json()["vpc"]["id"],
        "droplet_ids": [droplet["id"]],
        "forwarding_rules": [port_80],
        "health_check": {"check_interval_seconds": 3, "healthy_threshold": 2},
    }
    made = person.asks("POST", "load_balancers", **order)
    assert made.status_code == 202, made.text

    def health() -> object:
        (one,) = json.loads(person.types("status", "--load-balancers", "--json").stdout)
        return one["droplets"][str(droplet["id"])]

    deadline = time.monotonic() + 60
    while health() != "UP" and time.monotonic() < deadline:
        time.sleep(0.5)
    assert "web up" in person.types("status").stdout
    front = f"http://127.0.0.1:{loopback_port}/"
    assert httpx.get(front, trust_env=False).status_code == 200

    os.kill(int((person.state / "lock").read_text()), 9)
    assert httpx.get(front, trust_env=False).status_code == 200, "it outlives the cloud"
    assert person.types("start").returncode == 0
    assert httpx.get(front, trust_env=False).status_code == 200
    assert health() == "UP"
    assert person.types("reset").returncode == 0
    assert not person.state.exists()
    assert owned_by(Names.of(person.state).tag) == []
    assert list(Path("/run/slipway").glob(f"*{Names.of(person.state).tag}*")) == []


@pytest.mark.hosts
def test_names_are_answered_also_while_the_cloud_is_off(person: Person) -> None:
    """Over UDP and TCP, on the port that `status` tells, and again after a kill."""
    assert person.types("start", "--port", str(person.port)).returncode == 0
    person.asks("POST", "domains", name="shop.localhost", ip_address="192.0.2.1").raise_for_status()
    told = re.search(
        r"name server: 127\.0\.0\.1 port (\d+), UDP and TCP", person.types("status").stdout
    )
    assert told is not None
    port = int(told[1])

    def addresses(name: str) -> set[tuple[str, ...]]:
        return {ask(name, port, tcp=tcp).addresses for tcp in (False, True)}

    assert addresses("shop.localhost") == {("192.0.2.1",)}
    www = {"type": "CNAME", "name": "www", "data": "@"}
    person.asks("POST", "domains/shop.localhost/records", **www).raise_for_status()
    assert addresses("www.shop.localhost") == {("192.0.2.1",)}, "from the answer on"

    for process in owned_by(Names.of(person.state).tag):
        process.kill()
    assert f"127.0.0.1 port {port} does not answer" in person.types("status").stdout
    text = {"type": "TXT", "name": "@", "data": "back with the next change"}
    person.asks("POST", "domains/shop.localhost/records", **text).raise_for_status()
    assert addresses("www.shop.localhost") == {("192.0.2.1",)}

    assert person.types("stop").returncode == 0
    assert addresses("www.shop.localhost") == {("192.0.2.1",)}
    for process in owned_by(Names.of(person.state).tag):
        process.kill()
    with pytest.raises((ConnectionError, TimeoutError)):
        addresses("shop.localhost")
    assert person.types("start").returncode == 0
    assert addresses("www.shop.localhost") == {("192.0.2.1",)}
    assert person.types("reset").returncode == 0
    with pytest.raises((ConnectionError, TimeoutError)):
        addresses("shop.localhost")
    assert not person.state.exists()
    assert list(Path("/run/slipway").glob(f"*{Names.of(person.state).tag}*")) == []


@pytest.mark.hosts
def test_a_start_that_fails_says_why(person: Person) -> None:
    with socket.create_server(("127.0.0.1", person.port)):
        done = person.types("start", "--port", str(person.port))
    assert done.returncode == 1
    assert f"port {person.port} on 127.0.0.1 is taken" in done.stderr
    assert "Traceback" not in done.stderr
