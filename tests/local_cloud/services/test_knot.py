"""The cloud's name server, a real Knot DNS, asked as any resolver asks."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from local_cloud.api.zone_file import Soa, ZoneRecord, render
from local_cloud.hosts import requirements
from local_cloud.hosts.cleanup import remove_cloud
from local_cloud.hosts.kernel import SHARED
from local_cloud.hosts.names import Names
from local_cloud.hosts.process import owned_by
from local_cloud.machine import MachineError, Zone
from local_cloud.services.knot import Knot
from local_cloud.services.knot_port import free_port
from local_cloud.services.service_names import service_name
from tests.local_cloud.services.asking import (
    NO_ERROR,
    NO_SUCH_NAME,
    REFUSED,
    SERVER_FAILURE,
    Answer,
    answer_to,
    ask,
)

pytestmark = pytest.mark.hosts

PUBLIC = IPv4Network("10.64.1.0/24")
NOBODY = IPv4Address("127.0.0.98")
"""Where no resolver listens."""


@dataclass
class Place:
    """A cloud's folder with its name server, and the resolver that other names are led to."""

    folder: Path
    upstreams: list[IPv4Address] = field(default_factory=list)
    public: IPv4Network = PUBLIC

    @property
    def knot(self) -> Knot:
        """A new one each time: it must need nothing that is only in memory."""
        return Knot(self.folder, lambda: self.public, lambda: self.upstreams)

    def ask(self, name: str, *, tcp: bool = False) -> Answer:
        port = self.knot.port
        assert port is not None
        return ask(name, port, tcp=tcp)

    def remove(self) -> None:
        remove_cloud(self.folder, self.folder / "cache")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    if os.geteuid() != 0:
        pytest.skip("a name server needs root")
    requirements.ensure(lambda line: None)
    one = Place(tmp_path / "one")
    yield one
    one.remove()


def zone(name: str = "example.localhost", serial: int = 1, **addresses: str) -> Zone:
    records = [
        ZoneRecord(owner=f"{label}.{name}", ttl=60, type="A", data=address)
        for label, address in addresses.items()
    ]
    text = render(Soa(domain=name, ttl=60, serial=serial), records)
    return Zone(name=name, serial=serial, text=text)


@contextmanager
def resolver(*, silent: bool = False) -> Iterator[IPv4Address]:
    """A resolver on port 53 that knows 192.0.2.53 for every name, or never says a word."""
    address = f"127.53.{os.getpid() % 250}.{os.getpid() // 250 % 250}"
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        socket.create_server((address, 53)) as connections,
    ):
        datagrams.bind((address, 53))
        datagrams.settimeout(0.1)
        connections.settimeout(0.1)
        ended = threading.Event()

        def answer() -> None:
            while not ended.is_set():
                with suppress(TimeoutError):
                    message, asker = datagrams.recvfrom(4096)
                    if not silent:
                        datagrams.sendto(answer_to(message, "192.0.2.53"), asker)
                with suppress(TimeoutError):
                    connection, _ = connections.accept()
                    with connection:
                        message = answer_to(connection.recv(4096)[2:], "192.0.2.53")
                        connection.sendall(len(message).to_bytes(2, "big") + message)

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            yield IPv4Address(address)
        finally:
            ended.set()
            thread.join()


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_a_zone_is_answered_at_once_and_so_is_each_change(place: Place, tcp: bool) -> None:
    place.knot.serve([zone(www="192.0.2.1")])
    assert place.ask("www.example.localhost", tcp=tcp) == Answer(NO_ERROR, ("192.0.2.1",))
    assert place.ask("no.example.localhost", tcp=tcp) == Answer(NO_SUCH_NAME, ())
    place.knot.serve([zone(serial=2, www="192.0.2.2")])
    assert place.ask("www.example.localhost", tcp=tcp) == Answer(NO_ERROR, ("192.0.2.2",))
    place.knot.serve([zone(serial=2, www="192.0.2.2"), zone("other.localhost", www="192.0.2.3")])
    assert place.ask("www.other.localhost", tcp=tcp) == Answer(NO_ERROR, ("192.0.2.3",))
    place.knot.serve([zone(serial=3, www="192.0.2.4")])
    assert place.ask("www.example.localhost", tcp=tcp) == Answer(NO_ERROR, ("192.0.2.4",))
    assert place.ask("www.other.localhost", tcp=tcp) == Answer(REFUSED, ())


def test_every_type_of_record_is_taken(place: Place) -> None:
    lines = [
        ZoneRecord(owner="a.localhost", ttl=60, type="NS", data="ns1.digitalocean.com."),
        ZoneRecord(owner="*.a.localhost", ttl=60, type="A", data="192.0.2.1"),
        ZoneRecord(owner="www.a.localhost", ttl=60, type="AAAA", data="2001:db8::1"),
        ZoneRecord(owner="alias.a.localhost", ttl=60, type="CNAME", data="x.a.localhost."),
        ZoneRecord(owner="a.localhost", ttl=60, type="MX", data="m.a.localhost.", numbers=(10,)),
        ZoneRecord(
            owner="_s._tcp.a.localhost",
            ttl=60,
            type="SRV",
            data="x.a.localhost.",
            numbers=(1, 2, 3),
        ),
        ZoneRecord(
            owner="a.localhost", ttl=60, type="CAA", data="a.org", numbers=(0,), tag="issue"
        ),
        ZoneRecord(owner="a.localhost", ttl=60, type="TXT", data='"\\;\n\0ü' + "x" * 700),
    ]
    text = render(Soa(domain="a.localhost", ttl=60, serial=1), lines)
    place.knot.serve([Zone(name="a.localhost", serial=1, text=text)])
    assert place.ask("alias.a.localhost") == Answer(NO_ERROR, ("192.0.2.1",))


def test_the_cloud_s_services_have_names(place: Place) -> None:
    place.knot.serve([])
    assert place.ask(service_name("acme")) == Answer(NO_ERROR, ("10.64.1.1",))
    with pytest.raises(ValueError, match="none of the cloud's services"):
        service_name("mail")


def test_zones_outlive_what_started_them_and_come_back_after_a_kill(place: Place) -> None:
    place.knot.serve([zone(www="192.0.2.1")])
    port, process = place.knot.port, place.knot.process
    assert process is not None
    place.knot.serve([zone(www="192.0.2.1")])
    assert place.knot.process == process, "nothing has changed, so nothing was started"
    process.signal(signal.SIGKILL)
    assert process.wait(5)
    place.knot.serve([zone(www="192.0.2.1")])
    assert place.knot.port == port, "hosts and people know it by this port"
    assert place.ask("www.example.localhost") == Answer(NO_ERROR, ("192.0.2.1",))


def test_it_has_the_rights_of_its_own_user_only(place: Place) -> None:
    place.knot.serve([])
    process = place.knot.process
    assert process is not None
    status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    uids = next(line.split()[1:] for line in status if line.startswith("Uid:"))
    assert "0" not in uids


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_other_names_are_led_to_this_computer_s_resolver(place: Place, tcp: bool) -> None:
    with resolver() as upstream:
        place.upstreams.append(upstream)
        place.knot.serve([zone(www="192.0.2.1")])
        assert place.ask("example.org", tcp=tcp) == Answer(NO_ERROR, ("192.0.2.53",))
        assert place.ask("no.example.localhost", tcp=tcp) == Answer(NO_SUCH_NAME, ())


def test_own_names_are_answered_while_no_resolver_is_there(place: Place) -> None:
    place.upstreams.append(NOBODY)
    place.knot.serve([zone(www="192.0.2.1")])
    # Knot 3.2 says the one, 3.4 the other; after both a host asks its next resolver.
    assert place.ask("example.org").code in (SERVER_FAILURE, REFUSED)
    assert place.ask("www.example.localhost") == Answer(NO_ERROR, ("192.0.2.1",))


def test_own_names_do_not_wait_for_a_resolver_that_is_silent(place: Place) -> None:
    with resolver(silent=True) as upstream:
        place.upstreams.append(upstream)
        place.knot.serve([zone(www="192.0.2.1")])
        port = place.knot.port
        assert port is not None

        def in_vain() -> None:
            with suppress(OSError):
                ask("example.org", port)

        others = [threading.Thread(target=in_vain) for _ in range(6)]
        for other in others:
            other.start()
        time.sleep(0.1)
        assert place.ask("www.example.localhost") == Answer(NO_ERROR, ("192.0.2.1",))
        for other in others:
            other.join()


def test_another_resolver_is_used_from_the_next_change_on(place: Place) -> None:
    place.upstreams.append(NOBODY)
    place.knot.serve([])
    with resolver() as upstream:
        place.upstreams[:] = [upstream]
        place.knot.serve([])
        assert place.ask("example.org") == Answer(NO_ERROR, ("192.0.2.53",))


def test_a_person_who_lets_nobody_read_has_a_name_server_too(place: Place) -> None:
    before = os.umask(0o077)
    try:
        place.knot.serve([zone(www="192.0.2.1")])
        place.knot.serve([zone(serial=2, www="192.0.2.2")])
        place.knot.serve([zone(serial=2, www="192.0.2.2"), zone("other.localhost", a="192.0.2.3")])
    finally:
        os.umask(before)
    assert place.ask("www.example.localhost") == Answer(NO_ERROR, ("192.0.2.2",))
    assert place.ask("a.other.localhost") == Answer(NO_ERROR, ("192.0.2.3",))


def test_two_clouds_have_two_name_servers(place: Place, tmp_path: Path) -> None:
    other = Place(tmp_path / "other", public=IPv4Network("10.64.2.0/24"))
    try:
        place.knot.serve([zone(www="192.0.2.1")])
        other.knot.serve([zone(www="192.0.2.2")])
        assert place.knot.port != other.knot.port
        for one, address in ((place, "192.0.2.1"), (other, "192.0.2.2")):
            assert one.ask("www.example.localhost") == Answer(NO_ERROR, (address,))
        other.remove()
        assert place.ask("www.example.localhost") == Answer(NO_ERROR, ("192.0.2.1",))
    finally:
        other.remove()


def test_clouds_that_start_at_the_same_time_get_ports_of_their_own(
    place: Place, tmp_path: Path
) -> None:
    others = [
        Place(tmp_path / f"other-{number}", public=IPv4Network(f"10.64.{number}.0/24"))
        for number in range(2, 6)
    ]
    places = [place, *others]
    try:
        with ThreadPoolExecutor(len(places)) as threads:
            list(threads.map(lambda one: one.knot.serve([]), places))
        assert len({one.knot.port for one in places}) == len(places)
        for one in places:
            addresses = {one.ask(service_name("acme"), tcp=tcp).addresses for tcp in (True, False)}
            assert addresses == {(str(one.public[1]),)}
    finally:
        for one in others:
            one.remove()


def test_a_port_that_was_taken_meanwhile_is_given_up(place: Place) -> None:
    place.knot.serve([])
    before, process = place.knot.port, place.knot.process
    assert before is not None
    assert process is not None
    process.kill()
    assert free_port(before) == before
    with socket.create_server(("127.0.0.1", before)):
        place.knot.serve([])
        assert place.knot.port != before
        assert place.ask(service_name("acme")).addresses == ("10.64.1.1",)


def test_what_it_cannot_read_is_told_and_tried_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_cloud.services.knot.START_SECONDS", 0.5)
    place.knot.serve([zone(www="192.0.2.1")])
    wrong = Zone(name="example.localhost", serial=2, text="this is no zone file\n")
    with pytest.raises(MachineError, match=r"does not answer for example\.localhost: .*\w"):
        place.knot.serve([wrong])
    assert place.ask("www.example.localhost") == Answer(NO_ERROR, ("192.0.2.1",))
    place.knot.serve([zone(www="192.0.2.1")])
    place.knot.serve([zone(serial=3, www="192.0.2.3")])
    assert place.ask("www.example.localhost") == Answer(NO_ERROR, ("192.0.2.3",))


def test_one_zone_that_cannot_be_read_at_a_start_keeps_no_other_from_being_served(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_cloud.services.knot.START_SECONDS", 0.5)
    wrong = Zone(name="wrong.localhost", serial=1, text="this is no zone file\n")
    with pytest.raises(MachineError, match=r"does not answer for wrong\.localhost"):
        place.knot.serve([wrong, zone(www="192.0.2.1")])
    assert place.ask("www.example.localhost") == Answer(NO_ERROR, ("192.0.2.1",))
    place.knot.serve([zone(serial=2, www="192.0.2.2")])
    assert place.ask("www.example.localhost") == Answer(NO_ERROR, ("192.0.2.2",))


def test_it_begins_anew_where_its_folder_was_taken_away(place: Place) -> None:
    place.knot.serve([zone(www="192.0.2.1")])
    (folder,) = SHARED.glob(f"*{Names.of(place.folder).tag}*")
    shutil.rmtree(folder)
    place.knot.serve([zone(www="192.0.2.1")])
    assert place.ask("www.example.localhost") == Answer(NO_ERROR, ("192.0.2.1",))
    assert len(owned_by(Names.of(place.folder).tag)) == 1


@pytest.mark.parametrize("killed", [False, True], ids=["running", "killed"])
def test_a_reset_leaves_nothing_of_it(place: Place, killed: bool) -> None:
    place.knot.serve([zone(www="192.0.2.1")])
    tag = Names.of(place.folder).tag
    assert list(SHARED.glob(f"*{tag}*"))
    if killed:
        for process in owned_by(tag):
            process.kill()
    place.remove()
    assert owned_by(tag) == []
    assert list(SHARED.glob(f"*{tag}*")) == []
    assert not (place.folder / "name_server").exists()


def test_a_computer_without_knot_is_told_so(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="the Debian package knot is not installed"):
        place.knot.check()
    with pytest.raises(MachineError, match="apt-get install knot"):
        place.knot.serve([])
    assert place.knot.process is None


def test_a_computer_without_its_user_is_told_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_cloud.services.knot.USER", "nobody-of-this-name")
    with pytest.raises(MachineError, match=r"cannot be used: no such user"):
        place.knot.serve([])
    monkeypatch.undo()
    place.knot.serve([])
    assert place.ask(service_name("acme")).code == NO_ERROR


def test_its_package_is_tried_once_and_the_reason_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tried: list[str] = []

    def install(packages: list[str], progress: object) -> None:
        tried.extend(packages)
        raise MachineError("apt-get cannot install knot: no such package")

    monkeypatch.setattr(requirements, "SHARED", tmp_path)
    monkeypatch.setattr(requirements, "install", install)
    monkeypatch.setattr(shutil, "which", lambda program: None)
    told: list[str] = []
    for _ in range(2):
        requirements.try_to_install("knotd", "knot", told.append)
    assert tried == ["knot"]
    assert told == ["apt-get cannot install knot: no such package; what needs it is refused"]
    with pytest.raises(MachineError, match="cannot install knot: no such package"):
        requirements.check_optional("knotd")
