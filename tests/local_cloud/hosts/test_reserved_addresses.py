"""Stories of an address that moves between two real hosts."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from local_cloud.hosts.hypervisor import NspawnHypervisor
from local_cloud.machine import Guard, MachineSpec, Network, ReservedAddress, Rule
from tests.local_cloud.hosts.conftest import make_site

if TYPE_CHECKING:
    from tests.local_cloud.hosts.conftest import Site

pytestmark = pytest.mark.hosts

ANSWERING = Path(__file__).with_name("answering.py")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two hosts in networks of their own, `one` and `two`, that answer with their names."""
    for site in make_site(tmp_path_factory.mktemp("reserved")):
        for number, name in enumerate(("one", "two"), 1):
            spec = site.boot(name, number, network=f"192.168.{144 + number}.0/24")
            site.says(spec, f"cat > /root/answering.py <<'END'\n{ANSWERING.read_text()}\nEND")
            unit = "[Service]\nExecStart=python3 /root/answering.py\n"
            unit += "[Install]\nWantedBy=multi-user.target"
            site.says(spec, f"printf '{unit}' > /etc/systemd/system/answering.service")
            site.says(spec, "systemctl enable --now answering 2>&1")
        yield site


@pytest.fixture
def address(site: Site) -> Iterator[IPv4Address]:
    yield site.hypervisor.public_network()[200]
    site.hypervisor.apply_network(Network())


def lead(site: Site, address: IPv4Address, spec: MachineSpec, *guards: Guard) -> None:
    reserved = (ReservedAddress(address=address, machine_id=spec.id),)
    ranges = tuple(each.private.network for each in site.machines.values())
    site.hypervisor.apply_network(Network(reserved=reserved, guards=guards, ranges=ranges))


def answers(address: IPv4Address, port: int = 80) -> str:
    """The host that answers this computer."""
    told = httpx.get(f"http://{address}:{port}/", trust_env=False, timeout=2).json()
    return str(told["host"])


def test_it_leads_to_the_host_that_has_it_and_moves_to_another(
    site: Site, address: IPv4Address
) -> None:
    one, two = site.machines["one"], site.machines["two"]
    for spec, other in ((one, two), (two, one), (one, two)):
        lead(site, address, spec)
        assert answers(address) == spec.name
        assert answers(spec.public.address) == spec.name
        said = site.says(other, f"curl -sf --max-time 2 http://{address}/")
        assert f'"{spec.name}"' in said


def test_what_leads_nowhere_is_unreachable_at_once(site: Site, address: IPv4Address) -> None:
    one, two = site.machines["one"], site.machines["two"]
    lead(site, address, one)
    ranges = (one.private.network, two.private.network)
    site.hypervisor.apply_network(Network(ranges=ranges))
    with pytest.raises(httpx.ConnectError):
        answers(address)
    assert not site.reaches(two, address, 80)
    assert str(address) not in site.says(one, "ip address")


def test_connections_of_the_host_begin_under_its_own_address(
    site: Site, address: IPv4Address
) -> None:
    one, two = site.machines["one"], site.machines["two"]
    lead(site, address, one)
    told = site.says(one, f"curl -sf http://{two.public.address}/")
    assert f'"peer": "{one.public.address}"' in told


def test_the_firewall_of_the_host_is_in_force_for_it(site: Site, address: IPv4Address) -> None:
    one = site.machines["one"]
    ssh = Rule(protocol="tcp", ports=(22, 22), peers=(site.hypervisor.public_network(),))
    addresses = (one.public.address, one.private.address, address)
    guard = Guard(machine_id=one.id, addresses=addresses, inbound=(ssh,), outbound=())
    lead(site, address, one, guard)
    with pytest.raises(httpx.TransportError):
        answers(address)
    lead(site, address, one)
    assert answers(address) == "one"


def test_a_host_has_it_again_after_its_power_was_cut(site: Site, address: IPv4Address) -> None:
    one = site.machines["one"]
    lead(site, address, one)
    site.hypervisor.power_off(one.id)
    with pytest.raises(httpx.ConnectError):
        answers(address)
    site.hypervisor.start(one)
    site.says(one, "systemctl is-active --wait answering || systemctl start answering")
    assert answers(address) == "one"


def test_another_process_on_the_same_folder_goes_on_with_it(
    site: Site, address: IPv4Address
) -> None:
    one, two = site.machines["one"], site.machines["two"]
    lead(site, address, one)
    again = NspawnHypervisor(site.hypervisor.state, site.hypervisor.cache)
    again.apply_network(Network(reserved=(ReservedAddress(address=address, machine_id=two.id),)))
    assert answers(address) == "two"
