"""Servers come, go and are made anew: one order is enough, wherever HTTPS ends."""

from __future__ import annotations

import pytest

from tests.https.named import ALIAS, NAME, SHOP, Named

pytestmark = pytest.mark.hosts


def test_a_server_that_is_made_anew_needs_no_order(named: Named) -> None:
    named.servers.up()  # the state keeps what it sees
    before, orders = named.serial(), named.orders
    (droplet,) = (
        each for each in named.api("GET", "droplets")["droplets"] if each["name"] == "web"
    )
    named.api("DELETE", f"droplets/{droplet['id']}")
    named.servers.up("--refresh")
    assert (named.serial(), named.orders) == (before, orders)
    assert named.status()["last"]["outcome"] == "adopted"
    assert named.get(name=SHOP).status == 200
    named.servers.up_changes_nothing()


def test_with_an_address_of_its_own_the_names_stay_where_they_are(named: Named) -> None:
    with named.servers.setting(reservedIp=True):
        named.servers.up()
        (reserved,) = named.api("GET", "reserved_ips")["reserved_ips"]
        assert named.leads_to(NAME) == reserved["ip"]
        before = reserved["droplet"]["id"]
        named.api("DELETE", f"droplets/{before}")
        named.servers.up("--refresh")
        (reserved,) = named.api("GET", "reserved_ips")["reserved_ips"]
        assert reserved["droplet"]["id"] != before
        assert named.leads_to(NAME) == reserved["ip"]
        assert named.get().status == 200
        named.servers.up_changes_nothing()
    named.servers.up()
    assert named.api("GET", "reserved_ips")["reserved_ips"] == []
    assert named.get().status == 200


def test_a_second_server_takes_the_certificate_from_the_first(named: Named) -> None:
    before, orders = named.serial(), named.orders
    with named.servers.setting(webCount=2):
        named.servers.up()
        assert (named.serial("web-2"), named.orders) == (before, orders)
        with named.visited():
            named.servers.up_changes_nothing()
            orders_from_the_second(named)
            the_first_one_is_off(named)
            modes_change(named)
    named.servers.up()
    assert named.get().status == 200


def orders_from_the_second(named: Named) -> None:
    """Whichever server the CA asks, behind the load balancer, has the answer."""
    before, orders = named.serial(), named.orders
    named.certctl("--site site keep --force --hurry", "web-2")
    assert named.orders == orders + 1
    assert named.serial("web-2") != before
    named.certctl("keep --hurry", "web")
    assert named.serial("web") == named.serial("web-2")


def the_first_one_is_off(named: Named) -> None:
    before = named.serial("web-2")
    named.servers.everywhere("sudo systemctl stop nginx", "web")
    named.certctl("--site site keep --force --hurry", "web-2")
    named.servers.everywhere("sudo systemctl start nginx", "web")
    assert named.serial("web-2") != before
    named.certctl("keep --hurry", "web")
    assert named.serial("web") == named.serial("web-2")


def modes_change(named: Named) -> None:
    """From the servers to the load balancer and back, while visitors come."""
    with named.servers.setting(tls="balancer"):
        named.servers.up()
        (balancer,) = named.api("GET", "load_balancers")["load_balancers"]
        ports = {each["entry_port"]: each for each in balancer["forwarding_rules"]}
        assert ports[443]["certificate_id"]
        assert balancer["disable_lets_encrypt_dns_records"]
        assert not balancer["enable_proxy_protocol"]
        assert named.get(name=ALIAS).status == 200
        assert named.get_plain().headers["location"].startswith(f"https://{NAME}:")
    named.servers.up()
    assert named.get().status == 200
