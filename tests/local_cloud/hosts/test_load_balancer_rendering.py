"""Pure text: what a load balancer's haproxy is told, and that haproxy understands it."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from local_cloud.authority import Authority
from local_cloud.hosts import forward
from local_cloud.hosts.haproxy import Haproxy
from local_cloud.hosts.load_balancer_configuration import (
    certificate_files,
    render,
    render_states,
)
from local_cloud.machine import (
    Backend,
    Certificate,
    Forward,
    HealthCheck,
    Interface,
    Listener,
    LoadBalancerSpec,
    StickyCookie,
)

GOLDEN = Path(__file__).with_name("golden")
PUBLIC, PRIVATE = IPv4Network("10.64.1.0/24"), IPv4Network("192.168.125.0/24")
HAPROXY = Haproxy(Path("/state/load_balancers/1"), "slipway-ab12-b1", "ab12")
FOLDER = HAPROXY.folder

PLAIN = LoadBalancerSpec(
    number=1,
    public=Interface(address=PUBLIC[254], network=PUBLIC),
    private=Interface(address=PRIVATE[254], network=PRIVATE),
    listeners=(Listener(protocol="http", port=80, target_port=80),),
    backends=(
        Backend(machine_id=1001, address=PRIVATE[10]),
        Backend(machine_id=1002, address=PRIVATE[11]),
    ),
    check=HealthCheck(protocol="http", port=80, path="/healthz"),
)
EMPTY = replace(PLAIN, backends=())
EVERYTHING = replace(
    PLAIN,
    listeners=(*PLAIN.listeners, Listener(protocol="tcp", port=5000, target_port=22)),
    check=HealthCheck(
        protocol="https",
        port=8443,
        path="/well?deep=1",
        interval_seconds=3,
        timeout_seconds=4,
        failures_until_down=2,
        successes_until_up=2,
    ),
    sticky=StickyCookie(name="seat", seconds=300),
    speaks_proxy_protocol=True,
    keeps_backend_connections=True,
    idle_seconds=90,
    allowed=(IPv4Network("192.0.2.0/24"), IPv4Network("198.51.100.7/32")),
    denied=(IPv4Network("192.0.2.9/32"),),
)
SHOWN = Certificate(id="6b5ad4a8", pem="a chain and a key")
TLS = replace(
    PLAIN,
    listeners=(
        Listener(protocol="http", port=80, target_port=80, redirects_to_https=True),
        Listener(protocol="http", port=443, target_port=80, certificate=SHOWN, offers_http2=True),
        Listener(
            protocol="http", port=444, target_port=443, certificate=SHOWN, target_protocol="https"
        ),
        Listener(
            protocol="http",
            port=445,
            target_port=443,
            certificate=SHOWN,
            offers_http2=True,
            target_protocol="http2",
        ),
        Listener(protocol="tcp", port=446, target_port=443),
    ),
    only_strong_ciphers=True,
)
CASES = {"plain": PLAIN, "empty": EMPTY, "everything": EVERYTHING, "tls": TLS}


def test_a_check_speaks_as_visitors_do_where_it_has_their_port() -> None:
    (listener, *_) = EVERYTHING.listeners
    check = dataclasses.replace(EVERYTHING.check, port=listener.target_port)
    same_port = dataclasses.replace(EVERYTHING, check=check)
    assert "check-send-proxy" in render(same_port, HAPROXY.common(), FOLDER)
    assert "check-send-proxy" not in render(EVERYTHING, HAPROXY.common(), FOLDER)


@pytest.mark.parametrize("name", CASES)
def test_a_configuration_is_rendered_as_reviewed(name: str) -> None:
    rendered = render(CASES[name], HAPROXY.common(), FOLDER)
    assert rendered == (GOLDEN / f"load_balancer_{name}.cfg").read_text()


def test_forwards_are_rendered_as_reviewed() -> None:
    forwards = [
        Forward(loopback_port=8080, address=PRIVATE[10], port=80),
        Forward(loopback_port=5432, address=PRIVATE[20], port=5432),
    ]
    rendered = forward.render(forwards, HAPROXY.common())
    assert rendered == (GOLDEN / "forwards.cfg").read_text()


@pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed yet")
@pytest.mark.parametrize("name", CASES)
def test_haproxy_accepts_what_was_reviewed(name: str, tmp_path: Path) -> None:
    states = tmp_path / "states"
    states.write_text(render_states(CASES[name], {1001, 1002}))
    file = tmp_path / "haproxy.cfg"
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    issued = Authority.of(tmp_path).issue(["www.example.test"], 1)
    for file_name in certificate_files(CASES[name]):
        (certificates / file_name).write_text(issued.certificate + issued.private_key)
    file.write_text(render(CASES[name], HAPROXY.common(), tmp_path))
    checked = subprocess.run(
        ["haproxy", "-c", "-f", file], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "WARNING" not in checked.stderr, checked.stderr


def test_only_a_droplet_that_is_known_to_be_healthy_starts_so() -> None:
    head, columns, first, second = render_states(PLAIN, {1002}).splitlines()
    names = columns.removeprefix("# ").split(" ")
    known = [dict(zip(names, line.split(" "), strict=True)) for line in (first, second)]
    assert head == "1"
    assert [(one["srv_name"], one["srv_op_state"]) for one in known] == [
        ("1001", "0"),
        ("1002", "2"),
    ]
    assert [one["srv_addr"] for one in known] == [str(PRIVATE[10]), str(IPv4Address(PRIVATE[11]))]


def test_of_a_new_balancer_nothing_is_known() -> None:
    assert len(render_states(PLAIN, None).splitlines()) == 2
