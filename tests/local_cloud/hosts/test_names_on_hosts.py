"""A host asks the cloud's name server, made before its first domain as well as after."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

import pytest

from local_cloud.api.zone_file import Soa, ZoneRecord, render
from local_cloud.machine import Guard, Network, Rule, Zone
from local_cloud.services.knot import Knot
from local_cloud.services.service_names import service_address, service_name

if TYPE_CHECKING:
    from tests.local_cloud.hosts.conftest import Site

pytestmark = pytest.mark.hosts

NAME = "www.shop.localhost"
ASKING = """
import socket, struct, sys
server, name, kind = sys.argv[1:]
message = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0)
message += b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
message += struct.pack(">BHH", 0, 1, 1)
asking = socket.socket(socket.AF_INET, getattr(socket, "SOCK_" + kind))
asking.settimeout(3)
asking.connect((server, 53))
asking.sendall(struct.pack(">H", len(message)) + message if kind == "STREAM" else message)
print(socket.inet_ntoa(asking.recv(4096)[-4:]))
"""
"""Prints the address at the end of an answer."""


def zone(address: IPv4Address | str, serial: int) -> Zone:
    soa = Soa(domain="shop.localhost", ttl=60, serial=serial)
    www = ZoneRecord(owner=NAME, ttl=60, type="A", data=str(address))
    return Zone(name="shop.localhost", serial=serial, text=render(soa, [www]))


def test_a_host_finds_the_names_of_the_cloud(site: Site, eventually: Callable[..., bool]) -> None:
    public = site.hypervisor.public_network()
    gateway = service_address(public)
    knot = Knot(site.hypervisor.state, lambda: public)
    knot.serve([])
    web = site.boot("web", 1)

    def address(name: str) -> str:
        """As every program on the host finds it, by the C library."""
        return site.ssh(web, f"getent ahostsv4 {name} | cut -d' ' -f1 | sort -u").stdout.strip()

    first = site.says(web, "grep --max-count 1 nameserver /etc/resolv.conf")
    assert first == f"nameserver {gateway}"
    assert address(service_name("acme")) == str(gateway)
    assert address(NAME) == ""
    knot.serve([zone(web.public.address, 1)])
    assert address(NAME) == str(web.public.address)

    # What a firewall lets out is a matter between hosts: the resolver is there for all of them.
    anybody = (IPv4Network("0.0.0.0/0"),)
    for_ssh = Rule(protocol="tcp", ports=(22, 22), peers=anybody)
    addresses = (web.public.address, web.private.address)
    wall = Guard(machine_id=web.id, addresses=addresses, inbound=(for_ssh,), outbound=())
    site.hypervisor.apply_network(Network(guards=(wall,)))
    for kind in ("DGRAM", "STREAM"):
        asked = f"python3 -c {shlex.quote(ASKING)} {gateway} {NAME} {kind}"
        assert site.says(web, asked) == str(web.public.address), kind

    process = knot.process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    assert eventually(lambda: knot.process is None)
    knot.serve([zone("192.0.2.7", 2)])
    assert address(NAME) == "192.0.2.7"
