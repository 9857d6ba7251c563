"""Stories of machines and their neighbours: who reaches whom, firewalls, forwards."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

import pytest

from local_cloud.hosts import unreachable
from local_cloud.machine import Forward, Guard, MachineError, MachineSpec, Network, Rule

if TYPE_CHECKING:
    from tests.local_cloud.hosts.conftest import Site

pytestmark = pytest.mark.hosts

EVERYBODY = IPv4Network("0.0.0.0/0")
SSH_FROM_ANYWHERE = Rule(protocol="tcp", ports=(22, 22), peers=(EVERYBODY,))
EVERYTHING_OUT = tuple(
    Rule(protocol=protocol, ports=None, peers=(EVERYBODY,)) for protocol in ("tcp", "udp", "icmp")
)


@pytest.fixture(autouse=True)
def no_firewall_after(busy_site: Site) -> Iterator[None]:
    yield
    busy_site.hypervisor.apply_network(Network())


def here_reaches(address: IPv4Address | str, port: int) -> bool:
    """Whether this computer itself can open a connection."""
    try:
        socket.create_connection((str(address), port), timeout=1).close()
    except OSError:
        return False
    return True


def guard(spec: MachineSpec, *inbound: Rule, outbound: tuple[Rule, ...] = EVERYTHING_OUT) -> Guard:
    return Guard(
        machine_id=spec.id,
        addresses=(spec.public.address, spec.private.address),
        inbound=inbound,
        outbound=outbound,
    )


def test_without_a_firewall_neighbours_reach_each_other(busy_site: Site) -> None:
    web, db = busy_site.machines["web"], busy_site.machines["db"]

    assert busy_site.reaches(web, db.private.address, 80)
    assert busy_site.reaches(web, db.public.address, 80)
    assert here_reaches(db.public.address, 80)
    assert here_reaches(db.private.address, 80)


def test_a_guarded_port_is_open_to_the_permitted_peer_only(busy_site: Site) -> None:
    web, db, stranger = (busy_site.machines[name] for name in ("web", "db", "stranger"))
    from_web = Rule(protocol="tcp", ports=(80, 80), peers=(IPv4Network(web.private.address),))

    busy_site.hypervisor.apply_network(Network(guards=(guard(db, SSH_FROM_ANYWHERE, from_web),)))

    assert busy_site.reaches(web, db.private.address, 80)
    assert not busy_site.reaches(web, db.public.address, 80), "this comes from web's public address"
    assert not busy_site.reaches(stranger, db.public.address, 80)
    assert not here_reaches(db.public.address, 80)
    assert not here_reaches(db.private.address, 80)
    assert here_reaches(db.public.address, 22)

    busy_site.hypervisor.apply_network(Network())
    assert here_reaches(db.private.address, 80)
    assert busy_site.reaches(stranger, db.public.address, 80)


def test_a_firewall_without_permissions_lets_nothing_in(busy_site: Site) -> None:
    web, db = busy_site.machines["web"], busy_site.machines["db"]
    busy_site.hypervisor.apply_network(Network(guards=(guard(db),)))

    assert not here_reaches(db.public.address, 22)
    assert not busy_site.reaches(web, db.private.address, 22)


def test_a_firewall_lets_the_answers_to_a_machine_through(busy_site: Site) -> None:
    web, db = busy_site.machines["web"], busy_site.machines["db"]
    busy_site.hypervisor.apply_network(Network(guards=(guard(web, SSH_FROM_ANYWHERE),)))

    assert busy_site.reaches(web, db.private.address, 80)


def test_ping_needs_a_rule_of_its_own(busy_site: Site) -> None:
    web, db = busy_site.machines["web"], busy_site.machines["db"]
    ping = f"ping -c1 -W1 {db.private.address}"
    busy_site.hypervisor.apply_network(Network(guards=(guard(db, SSH_FROM_ANYWHERE),)))
    assert busy_site.ssh(web, ping).returncode != 0

    icmp = Rule(protocol="icmp", ports=None, peers=(EVERYBODY,))
    busy_site.hypervisor.apply_network(Network(guards=(guard(db, SSH_FROM_ANYWHERE, icmp),)))
    assert busy_site.ssh(web, ping).returncode == 0


def test_a_firewall_holds_back_what_it_does_not_let_out(busy_site: Site) -> None:
    web, db = busy_site.machines["web"], busy_site.machines["db"]
    to_db = Rule(protocol="tcp", ports=(22, 22), peers=(IPv4Network(db.private.address),))

    busy_site.hypervisor.apply_network(
        Network(guards=(guard(web, SSH_FROM_ANYWHERE, outbound=(to_db,)),))
    )

    assert busy_site.reaches(web, db.private.address, 22)
    assert not busy_site.reaches(web, db.private.address, 80)
    assert not busy_site.reaches(web, db.public.address, 22)


def test_networks_do_not_reach_each_other(busy_site: Site) -> None:
    web, stranger = busy_site.machines["web"], busy_site.machines["stranger"]

    assert not busy_site.reaches(stranger, web.private.address, 80)
    assert not busy_site.reaches(stranger, web.private.gateway, 22)
    assert busy_site.reaches(stranger, web.public.address, 80), "public addresses are for everybody"


def test_a_machine_reaches_no_service_of_this_computer(busy_site: Site) -> None:
    web = busy_site.machines["web"]
    with socket.create_server(("0.0.0.0", 0)) as service:
        port = service.getsockname()[1]
        for address in (web.public.gateway, web.private.gateway):
            assert here_reaches(address, port)
            assert not busy_site.reaches(web, address, port)


FORGED = r"""
import socket, struct, sys
destination, port, source, gateway = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
hardware = next(l.split()[3] for l in open("/proc/net/arp") if l.split()[0] == gateway)
def checksum(header):
    total = sum(struct.unpack("!10H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
def header(check):
    return struct.pack("!BBHHHBBH4s4s", 69, 0, 33, 1, 0, 64, 17, check,
                       socket.inet_aton(source), socket.inet_aton(destination))
packet = header(checksum(header(0))) + struct.pack("!HHHH", 9, port, 13, 0) + b"hello"
card = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
card.bind(("eth0", 0))
own = bytes.fromhex(open("/sys/class/net/eth0/address").read().strip().replace(":", ""))
card.send(bytes.fromhex(hardware.replace(":", "")) + own + b"\x08\x00" + packet)
"""
"""Sends one UDP packet that the machine's own kernel would never let out."""


def test_not_even_a_forged_packet_reaches_this_computers_loopback(busy_site: Site) -> None:
    web = busy_site.machines["web"]
    gateway = web.public.gateway
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service:
        service.bind(("127.0.0.1", 0))
        service.settimeout(0.5)
        script = (
            f"ping -c1 -W1 {gateway} >/dev/null; python3 - 127.0.0.1 {service.getsockname()[1]}"
            f" {web.public.address} {gateway} <<'END'{FORGED}END"
        )
        busy_site.says(web, script)
        with pytest.raises(TimeoutError):
            service.recv(100)


def test_a_machine_cannot_speak_for_another(busy_site: Site) -> None:
    web, db = busy_site.machines["web"], busy_site.machines["db"]
    forged = web.private.network[77]
    busy_site.says(web, f"ip address add {forged}/32 dev eth1")
    try:
        ping = busy_site.ssh(web, f"ping -c1 -W1 -I {forged} {db.private.address}")
    finally:
        busy_site.says(web, f"ip address del {forged}/32 dev eth1")
    assert ping.returncode != 0


def test_this_computer_asks_nobody_outside_for_an_address_of_ours(busy_site: Site) -> None:
    unused = busy_site.machines["web"].public.network[200]
    with pytest.raises(OSError, match=r"No route to host|unreachable"):
        socket.create_connection((str(unused), 80), timeout=2)


def test_an_address_nobody_has_is_not_asked_for_outside(busy_site: Site) -> None:
    web = busy_site.machines["web"]
    answer = busy_site.ssh(web, f"ping -c1 -W2 {web.public.network[200]}").stdout
    assert "Unreachable" in answer


def test_an_address_is_unreachable_at_once_where_no_machine_is(
    busy_site: Site, free_port: int
) -> None:
    web, empty = busy_site.machines["web"], IPv4Network("192.168.119.0/24")
    nobody = [empty[10], web.private.network[200], web.public.network[200]]
    forward = Forward(loopback_port=free_port, address=empty[10], port=80)
    ranges = (empty, web.private.network)

    busy_site.hypervisor.apply_network(Network(ranges=ranges, forwards=(forward,)))

    for address in nobody:
        began = time.monotonic()
        with pytest.raises(OSError, match=r"No route to host|unreachable"):
            socket.create_connection((str(address), 80), timeout=2)
        assert time.monotonic() - began < 0.3, address
    with suppress(ConnectionResetError):
        assert greeting(free_port, b"GET / HTTP/1.0\r\n\r\n") == b""
    for address in nobody[1:]:
        assert "Unreachable" in busy_site.ssh(web, f"ping -c1 -W2 {address}").stdout
    assert here_reaches(web.private.address, 80)
    assert busy_site.reaches(web, busy_site.machines["db"].private.address, 80)
    busy_site.hypervisor.check_network(empty)

    busy_site.hypervisor.apply_network(Network())
    assert unreachable.found(busy_site.hypervisor.names) == set()


def test_a_forward_leads_to_a_machine_and_follows_the_plan(busy_site: Site, free_port: int) -> None:
    web, db = busy_site.machines["web"], busy_site.machines["db"]
    to_web = Forward(loopback_port=free_port, address=web.private.address, port=22)
    to_db = Forward(loopback_port=free_port, address=db.private.address, port=80)

    busy_site.hypervisor.apply_network(Network(forwards=(to_web,)))
    assert greeting(free_port).startswith(b"SSH-2.0")
    busy_site.hypervisor.check_forward(free_port)

    busy_site.hypervisor.apply_network(Network(forwards=(to_db,)))
    assert greeting(free_port, b"GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200")

    busy_site.hypervisor.apply_network(Network())
    assert not here_reaches("127.0.0.1", free_port)


def test_a_forward_survives_the_objects_that_made_it_and_heals_when_killed(
    busy_site: Site, free_port: int, eventually: Callable[[Callable[[], bool]], bool]
) -> None:
    from local_cloud.hosts.hypervisor import NspawnHypervisor

    web = busy_site.machines["web"]
    plan = Network(
        forwards=(Forward(loopback_port=free_port, address=web.private.address, port=22),)
    )
    busy_site.hypervisor.apply_network(plan)
    before = busy_site.hypervisor.forwards.haproxy.process
    assert before is not None

    again = NspawnHypervisor(busy_site.hypervisor.state, busy_site.hypervisor.cache)
    again.apply_network(plan)
    assert again.forwards.haproxy.process == before, "a forward that is right is not touched"

    before.signal(9)
    assert eventually(lambda: not here_reaches("127.0.0.1", free_port))
    busy_site.hypervisor.apply_network(plan)
    assert greeting(free_port).startswith(b"SSH-2.0")


def test_a_taken_port_is_named(busy_site: Site, free_port: int) -> None:
    web = busy_site.machines["web"]
    forward = Forward(loopback_port=free_port, address=web.private.address, port=22)
    with socket.create_server(("127.0.0.1", free_port)):
        with pytest.raises(MachineError, match=f"port {free_port} of 127.0.0.1 is taken"):
            busy_site.hypervisor.check_forward(free_port)
        with pytest.raises(MachineError, match=f"port {free_port} of 127.0.0.1 is taken"):
            busy_site.hypervisor.apply_network(Network(forwards=(forward,)))


def test_a_network_that_is_used_already_is_refused_by_name(busy_site: Site) -> None:
    own = busy_site.hypervisor
    with pytest.raises(MachineError, match=r"10\.\S+ collides with 10\.\S+, this cloud's public"):
        own.check_network(own.public_network())
    with pytest.raises(MachineError, match=r"127\.0\.0\.0/8 collides with"):
        own.check_network(IPv4Network("127.0.0.0/8"))
    own.check_network(IPv4Network("192.168.123.0/24"))
    own.check_network(IPv4Network("192.168.121.0/24"))


def greeting(port: int, question: bytes = b"") -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        if question:
            connection.sendall(question)
        return connection.recv(100)
