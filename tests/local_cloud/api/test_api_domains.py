"""Domains and their records: what is kept, what is refused, and what the name server is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.local_cloud.api.conftest import Api, serving
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor
from tests.local_cloud.api.memory_name_server import MemoryNameServer

RECORDS = "/v2/domains/example.com/records"
OF_ITSELF = [f"example.com. 1800 IN NS ns{number}.digitalocean.com." for number in (1, 2, 3)]


@pytest.fixture
def domain(api: Api) -> dict[str, Any]:
    made: dict[str, Any] = api.ok("POST", "/v2/domains", json={"name": "example.com"})["domain"]
    return made


def record(api: Api, kind: str, name: str, data: str, **more: Any) -> dict[str, Any]:
    order = {"type": kind, "name": name, "data": data, **more}
    made: dict[str, Any] = api.ok("POST", RECORDS, json=order)["domain_record"]
    return made


def records(api: Api, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.ok("GET", f"{RECORDS}{query}")["domain_records"]
    return found


def test_a_domain_comes_with_its_name_servers(
    api: Api, domain: dict[str, Any], name_server: MemoryNameServer
) -> None:
    assert domain == {"name": "example.com", "ttl": 1800, "zone_file": None}
    assert [(one["type"], one["name"], one["data"], one["ttl"]) for one in records(api)] == [
        ("SOA", "@", "1800", 1800),
        ("NS", "@", "ns1.digitalocean.com", 1800),
        ("NS", "@", "ns2.digitalocean.com", 1800),
        ("NS", "@", "ns3.digitalocean.com", 1800),
    ]
    zone = name_server.zones["example.com"]
    assert zone.text.splitlines() == [
        "$ORIGIN example.com.",
        "$TTL 1800",
        "example.com. IN SOA ns1.digitalocean.com. hostmaster.example.com. "
        f"{zone.serial} 10800 3600 604800 1800",
        *OF_ITSELF,
    ]
    assert api.ok("GET", "/v2/domains/example.com")["domain"]["zone_file"] == zone.text


@pytest.mark.parametrize(("address", "kind"), [("192.0.2.1", "A"), ("2001:db8::1", "AAAA")])
def test_an_address_becomes_a_record_of_the_domain_itself(
    api: Api, address: str, kind: str
) -> None:
    api.ok("POST", "/v2/domains", json={"name": "example.com", "ip_address": address})
    assert records(api)[-1] | {"id": 0} == {
        "id": 0,
        "type": kind,
        "name": "@",
        "data": address,
        "priority": None,
        "port": None,
        "ttl": 1800,
        "weight": None,
        "flags": None,
        "tag": None,
    }


@pytest.mark.parametrize("address", ["192.0.2.256", "fe80::1%eth0", "www.example.com", 5])
def test_what_is_no_address_makes_no_domain(api: Api, address: object) -> None:
    order = {"name": "example.com", "ip_address": address}
    assert api.refused(422, "POST", "/v2/domains", json=order).startswith("ip_address: ")
    api.refused(404, "GET", "/v2/domains/example.com")


def test_a_name_is_taken_once_in_whatever_case(api: Api, domain: dict[str, Any]) -> None:
    message = api.refused(422, "POST", "/v2/domains", json={"name": "Example.COM"})
    assert message == "domain 'example.com': name already exists"
    assert api.ok("GET", "/v2/domains/EXAMPLE.com")["domain"]["name"] == "example.com"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "localhost",
        "example..com",
        "example.com.",
        "-a.example.com",
        "a_b.example.com",
        "*.example.com",
        "192.0.2.1",
        "exa mple.com",
        "bücher.example",
        "\N{LATIN SMALL LETTER LONG S}hop.example",
        f"{'a' * 64}.example.com",
        ".".join(["a" * 60] * 5),
        "example.com\n$INCLUDE /etc/shadow",
    ],
)
def test_what_is_no_domain_is_refused(api: Api, name: str) -> None:
    assert "is no domain" in api.refused(422, "POST", "/v2/domains", json={"name": name})


@pytest.mark.parametrize("name", ["cloud.localhost", "acme.cloud.localhost", "CLOUD.localhost"])
def test_the_clouds_own_domain_is_refused(api: Api, name: str) -> None:
    message = api.refused(422, "POST", "/v2/domains", json={"name": name})
    assert "cloud.localhost is the local cloud's own domain" in message


@pytest.mark.parametrize(
    ("order", "answered", "line"),
    [
        (("A", "www", "192.0.2.1"), {}, "www.example.com. 1800 IN A 192.0.2.1"),
        (("A", "*.dev", "192.0.2.1"), {}, "*.dev.example.com. 1800 IN A 192.0.2.1"),
        (("AAAA", "*", "2001:db8::1"), {}, "*.example.com. 1800 IN AAAA 2001:db8::1"),
        (
            ("CNAME", "www", "shop.example.org."),
            {"data": "shop.example.org"},
            "www.example.com. 1800 IN CNAME shop.example.org.",
        ),
        (
            ("CNAME", "www", "Example.com."),
            {"data": "@"},
            "www.example.com. 1800 IN CNAME example.com.",
        ),
        (
            ("A", "api.example.com.", "192.0.2.1"),
            {"name": "api"},
            "api.example.com. 1800 IN A 192.0.2.1",
        ),
        (("A", "example.com.", "192.0.2.1"), {"name": "@"}, "example.com. 1800 IN A 192.0.2.1"),
        (
            ("MX", "@", "mail.example.com.", {"priority": 0}),
            {"data": "mail.example.com", "priority": 0},
            "example.com. 1800 IN MX 0 mail.example.com.",
        ),
        (
            ("SRV", "_sip._tcp", "sip.example.com.", {"priority": 1, "weight": 2, "port": 5060}),
            {"data": "sip.example.com", "priority": 1, "weight": 2, "port": 5060},
            "_sip._tcp.example.com. 1800 IN SRV 1 2 5060 sip.example.com.",
        ),
        (
            ("CAA", "@", "letsencrypt.org.", {"flags": 128, "tag": "issue"}),
            {"data": "letsencrypt.org", "flags": 128, "tag": "issue"},
            'example.com. 1800 IN CAA 128 issue "letsencrypt.org"',
        ),
        (
            ("CAA", "@", "mailto:me@example.com", {"flags": 0, "tag": "iodef"}),
            {"data": "mailto:me@example.com"},
            'example.com. 1800 IN CAA 0 iodef "mailto:me@example.com"',
        ),
        (
            ("TXT", "_acme-challenge", 'a "b" \\ ü'),
            {"data": 'a "b" \\ ü'},
            '_acme-challenge.example.com. 1800 IN TXT "a \\"b\\" \\\\ \\195\\188"',
        ),
        (
            ("TXT", "long", "x" * 300),
            {},
            f'long.example.com. 1800 IN TXT "{"x" * 255}" "{"x" * 45}"',
        ),
    ],
)
@pytest.mark.usefixtures("domain")
def test_a_record_is_answered_and_served(
    api: Api,
    name_server: MemoryNameServer,
    order: tuple[Any, ...],
    answered: dict[str, Any],
    line: str,
) -> None:
    kind, name, data, *more = order
    made = record(api, kind, name, data, **(more[0] if more else {}))
    wanted = {"type": kind, "name": name, "data": data, "ttl": 1800, **answered}
    assert made | wanted == made
    assert api.ok("GET", f"{RECORDS}/{made['id']}")["domain_record"] == made
    assert name_server.lines("example.com") == [*OF_ITSELF, line]


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"type": "A", "name": "www"}, "Data can't be blank"),
        ({"type": "A", "name": "www", "data": ""}, "Data can't be blank"),
        ({"type": "A", "data": "192.0.2.1"}, "Name can't be blank"),
        ({"type": "A", "name": "www", "data": "192.0.2.256"}, "is no address for a record A"),
        ({"type": "A", "name": "www", "data": "2001:db8::1"}, "is no address for a record A"),
        ({"type": "AAAA", "name": "www", "data": "192.0.2.1"}, "no address for a record AAAA"),
        ({"type": "AAAA", "name": "www", "data": "fe80::1%eth0"}, "no address for a record AAAA"),
        ({"type": "CNAME", "name": "www", "data": "a.com"}, "Data needs to end with a dot (.)"),
        ({"type": "CNAME", "name": "www", "data": "a b."}, "is no name of a host"),
        ({"type": "CNAME", "name": "@", "data": "a.com."}, "cannot share a name with other"),
        ({"type": "NS", "data": "a.com"}, "Data needs to end with a dot (.)"),
        ({"type": "MX", "data": "a.com."}, "Priority can't be blank"),
        ({"type": "MX", "data": "a.com.", "priority": 65536}, "priority: "),
        ({"type": "SRV", "name": "_a._tcp", "data": "a.com.", "priority": 1}, "Port can't be"),
        ({"type": "CAA", "name": "@", "data": "a.com.", "tag": "issue"}, "Flags can't be blank"),
        ({"type": "CAA", "name": "@", "data": "a.com.", "flags": 0}, "Tag can't be blank"),
        (
            {"type": "CAA", "name": "@", "data": "a.com", "flags": 0, "tag": "issue"},
            "Data needs to end with a dot (.)",
        ),
        ({"type": "SOA", "name": "@", "data": "1800"}, "one SOA record"),
        ({"type": "PTR", "name": "www", "data": "a.com."}, "type: "),
        ({"name": "www", "data": "a.com."}, "type: "),
        ({"type": "A", "name": "www", "data": "192.0.2.1", "ttl": 29}, "ttl: "),
        ({"type": "A", "name": "a.example.org.", "data": "192.0.2.1"}, "does not belong to"),
        ({"type": "TXT", "name": "a", "data": "ü" * 32_501}, "more than 65000 bytes"),
        ({"type": "A", "name": "\N{KELVIN SIGN}", "data": "192.0.2.1"}, "is no name of a record"),
        ({"type": "A", "name": "a b", "data": "192.0.2.1"}, "is no name of a record"),
        ({"type": "A", "name": "w\n@", "data": "192.0.2.1"}, "is no name of a record"),
        ({"type": "A", "name": "a.*", "data": "192.0.2.1"}, "is no name of a record"),
        ({"type": "A", "name": ".".join(["a" * 60] * 5), "data": "192.0.2.1"}, "more than 253"),
    ],
)
@pytest.mark.usefixtures("domain")
def test_a_wrong_record_is_refused_and_nothing_is_kept(
    api: Api, order: dict[str, Any], message: str
) -> None:
    assert message in api.refused(422, "POST", RECORDS, json=order)
    assert len(records(api)) == 4


@pytest.mark.usefixtures("domain")
def test_a_name_with_an_alias_has_no_other_record(api: Api) -> None:
    record(api, "A", "www", "192.0.2.1")
    alias = {"type": "CNAME", "name": "WWW", "data": "example.org."}
    message = api.refused(422, "POST", RECORDS, json=alias)
    assert message == "CNAME records cannot share a name with other records"
    made = record(api, "CNAME", "shop", "example.org.")
    address = {"type": "A", "name": "shop", "data": "192.0.2.1"}
    message = api.refused(422, "POST", RECORDS, json=address)
    assert message == "A records cannot share a name with a CNAME record"
    renamed = {"type": "CNAME", "name": "www"}
    assert "cannot share" in api.refused(422, "PUT", f"{RECORDS}/{made['id']}", json=renamed)


@pytest.mark.usefixtures("domain")
def test_a_change_leaves_what_it_does_not_name(api: Api, name_server: MemoryNameServer) -> None:
    made = record(api, "CNAME", "www", "shop.example.org.", ttl=300)
    path = f"{RECORDS}/{made['id']}"
    assert api.ok("PATCH", path, json={"type": "CNAME", "name": "web"})["domain_record"] == {
        **made,
        "name": "web",
    }
    # DigitalOcean's client for Go sends no type, and zeros for all that it does not know.
    zeros = {"priority": 0, "port": 0, "weight": 0, "flags": 0, "ttl": 60, "data": "a.example.org."}
    changed = api.ok("PUT", path, json=zeros)["domain_record"]
    assert changed == {**made, "name": "web", "ttl": 60, "data": "a.example.org"}
    assert name_server.lines("example.com")[-1] == ("web.example.com. 60 IN CNAME a.example.org.")


@pytest.mark.usefixtures("domain")
def test_records_of_one_name_and_type_live_equally_long(api: Api) -> None:
    """RFC 2181, 5.2; the last word counts (terraform-provider-digitalocean, issue 1012)."""
    first = record(api, "TXT", "www", "one", ttl=300)
    second = record(api, "TXT", "WWW", "two", ttl=60)
    other = record(api, "A", "www", "192.0.2.1")
    third = record(api, "TXT", "www", "three")
    api.ok("PATCH", f"{RECORDS}/{second['id']}", json={"type": "TXT", "data": "zwei"})
    ttls = {one["id"]: one["ttl"] for one in records(api)}
    assert [ttls[one["id"]] for one in (first, second, third, other)] == [60, 60, 60, 1800]


@pytest.mark.usefixtures("domain")
def test_records_are_filtered_by_whole_name_and_type(api: Api) -> None:
    record(api, "A", "www", "192.0.2.1")
    record(api, "TXT", "www", "text")
    record(api, "A", "@", "192.0.2.2")

    def found(query: str) -> list[str]:
        return [one["data"] for one in records(api, query)]

    assert found("?name=www.example.com") == ["192.0.2.1", "text"]
    assert found("?name=WWW.example.com.&type=A") == ["192.0.2.1"]
    assert found("?name=example.com&type=A") == ["192.0.2.2"]
    assert found("?name=www") == []
    assert found("?name=other.example.org") == []
    assert len(found("?type=NS&per_page=2&page=2")) == 1
    assert api.ok("GET", f"{RECORDS}?type=NS&per_page=2")["meta"] == {"total": 3}
    assert "type: " in api.refused(422, "GET", f"{RECORDS}?type=PTR")


@pytest.mark.usefixtures("domain")
def test_the_zones_own_record_changes_only_its_time(
    api: Api, name_server: MemoryNameServer
) -> None:
    (own,) = records(api, "?type=SOA")
    path = f"{RECORDS}/{own['id']}"
    assert api.ok("PATCH", path, json={"type": "SOA", "ttl": 600})["domain_record"]["ttl"] == 600
    assert "$TTL 600" in name_server.zones["example.com"].text
    assert "one SOA record" in api.refused(
        422, "PUT", path, json={"type": "A", "data": "192.0.2.1"}
    )
    assert "goes with its domain" in api.refused(422, "DELETE", path)


def test_each_change_gives_the_zone_a_higher_serial(
    api: Api, domain: dict[str, Any], name_server: MemoryNameServer
) -> None:
    serials = [name_server.zones["example.com"].serial]
    made = record(api, "A", "www", "192.0.2.1")
    serials.append(name_server.zones["example.com"].serial)
    api.ok("PUT", f"{RECORDS}/{made['id']}", json={"type": "A", "ttl": 60})
    serials.append(name_server.zones["example.com"].serial)
    api.ok("DELETE", f"{RECORDS}/{made['id']}")
    serials.append(name_server.zones["example.com"].serial)
    assert serials == sorted(set(serials))


def test_a_domain_goes_with_all_its_records(
    api: Api, domain: dict[str, Any], name_server: MemoryNameServer
) -> None:
    made = record(api, "A", "www", "192.0.2.1")
    api.ok("DELETE", "/v2/domains/example.com")
    assert name_server.zones == {}
    assert "domain example.com" in api.refused(404, "GET", RECORDS)
    api.ok("POST", "/v2/domains", json={"name": "example.com"})
    assert len(records(api)) == 4
    assert records(api)[0]["id"] > made["id"], "no identifier is used twice"


@pytest.mark.usefixtures("domain")
def test_what_there_is_not_is_not_found(api: Api) -> None:
    order = {"type": "A", "name": "www", "data": "192.0.2.1"}
    for path in ("/v2/domains/other.com", f"{RECORDS}/77", f"{RECORDS}/none"):
        api.refused(404, "GET", path)
        api.refused(404, "DELETE", path)
    api.refused(404, "PUT", f"{RECORDS}/77", json=order)
    api.refused(404, "POST", "/v2/domains/other.com/records", json=order)
    api.ok("POST", "/v2/domains", json={"name": "example.org"})
    foreign = api.ok("GET", "/v2/domains/example.org/records")["domain_records"][0]["id"]
    api.refused(404, "GET", f"{RECORDS}/{foreign}")


@pytest.mark.usefixtures("domain")
def test_what_the_name_server_refuses_is_not_kept(api: Api, name_server: MemoryNameServer) -> None:
    name_server.failure = "the name server does not answer"
    order = {"type": "A", "name": "www", "data": "192.0.2.1"}
    assert api.refused(500, "POST", RECORDS, json=order) == "the name server does not answer"
    name_server.failure = ""
    assert len(records(api)) == 4


def test_without_a_name_server_domains_are_refused_with_the_reason(
    tmp_path: Path, hypervisor: MemoryHypervisor
) -> None:
    missing = MemoryNameServer()
    missing.missing = "the Debian package knot is not installed"
    with serving(tmp_path, hypervisor, name_server=missing) as api:
        for method, path in (("GET", "/v2/domains"), ("POST", RECORDS)):
            message = api.refused(501, method, path, json={"type": "A"})
            assert message == (
                "the local cloud does not serve domains on this computer: "
                "the Debian package knot is not installed"
            )
        api.ok("GET", "/v2/droplets")


def test_domains_are_served_again_after_a_restart(
    tmp_path: Path, hypervisor: MemoryHypervisor
) -> None:
    before, after = MemoryNameServer(), MemoryNameServer()
    with serving(tmp_path, hypervisor, name_server=before) as api:
        api.ok("POST", "/v2/domains", json={"name": "example.com"})
        record(api, "A", "www", "192.0.2.1")
    with serving(tmp_path, hypervisor, name_server=after) as api:
        assert after.zones == before.zones
        assert records(api)[-1]["data"] == "192.0.2.1"


def test_a_name_server_that_fails_does_not_keep_the_cloud_from_starting(
    tmp_path: Path, hypervisor: MemoryHypervisor
) -> None:
    failing = MemoryNameServer()
    failing.failure = "no free port"
    with serving(tmp_path, hypervisor, name_server=failing) as api:
        api.ok("GET", "/v2/droplets")
        failing.failure = ""
        api.ok("POST", "/v2/domains", json={"name": "example.com"})
    assert failing.zones.keys() == {"example.com"}
