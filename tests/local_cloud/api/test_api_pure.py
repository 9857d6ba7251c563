"""The parts that need no server: pages, addresses, and the plan of the network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import URL

from local_cloud.api.addresses import NoAddressLeftError, choose_address, is_assignable
from local_cloud.api.models import Droplet, Firewall
from local_cloud.api.network_plan import plan
from local_cloud.api.pagination import Page

PUBLIC = IPv4Network("10.77.12.0/24")
LIST = URL("http://127.0.0.1:7300/v2/droplets?tag_name=web")


def page_at(link: str) -> Page:
    query = parse_qs(urlsplit(link).query)
    assert query["tag_name"] == ["web"]
    return Page(int(query["page"][0]), int(query["per_page"][0]), LIST)


@given(st.integers(0, 500), st.integers(1, 200))
def test_following_next_gives_everything_once_and_ends_at_last(total: int, size: int) -> None:
    items = list(range(total))
    page = Page(1, size, LIST)
    collected = list(page.of(items))
    last = None
    while "next" in (pages := page.links(total).get("pages", {})):
        last = page_at(pages["last"])
        page = page_at(pages["next"])
        collected += page.of(items)
    assert collected == items
    assert last is None or last == page


@given(st.integers(0, 500), st.integers(1, 200), st.integers(1, 2**31 - 1))
def test_links_lead_to_pages_that_have_something(total: int, size: int, number: int) -> None:
    for name, link in Page(number, size, LIST).links(total).get("pages", {}).items():
        page = page_at(link)
        assert page.of(range(total)) or (total == 0 and page.number == 1), name


networks = st.builds(
    lambda third, prefix: IPv4Network(f"10.0.{third}.0/{prefix}", strict=False),
    st.integers(0, 255),
    st.integers(26, 28),
)


@given(networks, st.one_of(st.none(), st.integers(2, 70)))
def test_every_address_but_three_is_given_exactly_once(
    network: IPv4Network, wished: int | None
) -> None:
    taken: set[IPv4Address] = set()
    for _ in range(network.num_addresses - 3):
        taken.add(choose_address(network, taken, wished))
    assert taken == set(network) - {network[0], network[1], network[-1]}
    with pytest.raises(NoAddressLeftError):
        choose_address(network, taken, wished)


@given(networks, st.integers(2, 12))
def test_a_free_wish_is_granted(network: IPv4Network, wished: int) -> None:
    assert is_assignable(network, wished)
    assert choose_address(network, set(), wished) == network[wished]


TAGS = ["web", "db", "ops"]
addresses = st.sampled_from(["0.0.0.0/0", "::/0", "203.0.113.7", "10.0.0.0/8", "2001:db8::1"])


def droplet(number: int, tags: list[str]) -> Droplet:
    return Droplet(
        id=1000 + number,
        name=f"host-{number}",
        status="active",
        region="fra1",
        size="s-1vcpu-1gb",
        disk=25,
        image={},
        vpc_id="vpc",
        public_address=IPv4Address("10.77.12.0") + number,
        private_address=IPv4Address("192.168.100.0") + number,
        user_data="",
        ssh_keys=(),
        monitoring=False,
        created_at="",
        tags=tuple(tags),
    )


droplet_lists = st.lists(st.lists(st.sampled_from(TAGS), unique=True), max_size=5).map(
    lambda tag_lists: [droplet(number, tags) for number, tags in enumerate(tag_lists, start=10)]
)
targets = st.fixed_dictionaries(
    {},
    optional={
        "addresses": st.lists(addresses, max_size=3),
        "droplet_ids": st.lists(st.integers(1010, 1016), max_size=3),
        "tags": st.lists(st.sampled_from(TAGS), max_size=2),
    },
)


def rules(side: str) -> st.SearchStrategy[tuple[dict[str, Any], ...]]:
    rule = st.fixed_dictionaries(
        {
            "protocol": st.sampled_from(["tcp", "udp"]),
            "ports": st.sampled_from(["0", "80", "8000-9000"]),
            side: targets,
        }
    )
    return st.lists(rule, max_size=4).map(tuple)


firewalls = st.lists(
    st.builds(
        Firewall,
        id=st.uuids().map(str),
        name=st.just("wall"),
        inbound=rules("sources"),
        outbound=rules("destinations"),
        droplet_ids=st.lists(st.integers(1010, 1016), max_size=3, unique=True).map(tuple),
        tags=st.lists(st.sampled_from(TAGS), max_size=2, unique=True).map(tuple),
        created_at=st.just(""),
    ),
    max_size=3,
)


def names(target: dict[str, Any], peer: Droplet, address: IPv4Address) -> bool:
    """Whether a rule's other side includes this address of this droplet."""
    return (
        peer.id in target.get("droplet_ids", ())
        or any(tag in target.get("tags", ()) for tag in peer.tags)
        or any(
            network.version == 4 and address in network
            for network in map(ip_network, target.get("addresses", ()))
        )
    )


@given(droplet_lists, firewalls)
def test_a_guard_permits_a_peer_exactly_where_a_firewall_does(
    droplets: list[Droplet], walls: list[Firewall]
) -> None:
    guards = {guard.machine_id: guard for guard in plan(droplets, walls, [], PUBLIC).guards}
    for guarded in droplets:
        covering = [wall for wall in walls if wall.covers(guarded)]
        assert (guarded.id in guards) == bool(covering)
        for peer in droplets if covering else ():
            for address in peer.addresses:
                wanted = {
                    (rule["protocol"], rule["ports"])
                    for wall in covering
                    for rule in wall.inbound
                    if names(rule["sources"], peer, address)
                }
                permitted = {
                    (rule.protocol, "-".join(map(str, sorted(set(rule.ports or (0,))))))
                    for rule in guards[guarded.id].inbound
                    if any(address in network for network in rule.peers)
                }
                assert permitted == wanted


@given(droplet_lists, firewalls, st.randoms(use_true_random=False))
def test_the_plan_does_not_depend_on_the_order_of_the_records(
    droplets: list[Droplet], walls: list[Firewall], random: Any
) -> None:
    planned = plan(droplets, walls, [], PUBLIC)
    random.shuffle(droplets)
    random.shuffle(walls)
    assert plan(droplets, walls, [], PUBLIC) == planned
