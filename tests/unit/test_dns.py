"""Which domain of the account a name belongs to, and records of others, asked over HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pulumi
import pytest

from components.core.errors import SlipwayError
from components.platform import api, dns
from components.platform.dns import PlacedName, placed
from tests.unit.test_site import sites

OURS, BALANCER = "203.0.113.7", "203.0.113.80"
DROPLETS = [{"id": 7, "networks": {"v4": [{"ip_address": "10.20.0.2"}, {"ip_address": OURS}]}}]
BALANCERS = [
    {"id": "a", "ip": BALANCER, "droplet_ids": [7]},
    {"id": "b", "ip": "203.0.113.90", "droplet_ids": [8]},
]


class Account(BaseHTTPRequestHandler):
    """DigitalOcean's API, one item on a page."""

    domains: ClassVar[list[str]]
    records: ClassVar[list[dict[str, Any]]]
    asked: ClassVar[list[str]]

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(place.query).items()}
        path = place.path.removeprefix("/v2/")
        self.asked.append(path)
        name = path.split("/")[-1]
        items = {
            "domains": [{"name": each} for each in self.domains],
            "records": [each for each in self.records if each["name"] == query.get("name")],
            "droplets": DROPLETS if query.get("tag_name") == "slipway-test-web" else [],
            "load_balancers": BALANCERS,
        }[name]
        page = int(query["page"])
        links = {"pages": {"next": "further on"}} if page < len(items) else {}
        what = "domain_records" if name == "records" else name
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({what: items[page - 1 : page], "links": links}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Account]]:
    Account.domains, Account.records, Account.asked = ["other.example", "example.org"], [], []
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", "token of this test")
    monkeypatch.setattr(pulumi, "get_project", lambda: "slipway")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "test")
    with ThreadingHTTPServer(("127.0.0.1", 0), Account) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        monkeypatch.setattr(api, "api_endpoint", lambda: f"http://127.0.0.1:{server.server_port}")
        yield Account
        server.shutdown()
        thread.join()


def find(
    earlier: dict[str, Any] | None = None, *further: dict[str, Any], **given: Any
) -> list[PlacedName]:
    found = sites(*further, **{"serverNames": ["www.example.org"], "dns": "digitalocean", **given})
    return dns.find(found[0].settings, found, earlier or {}, project="slipway")


def refusal(earlier: dict[str, Any] | None = None, **given: Any) -> str:
    with pytest.raises(SlipwayError) as caught:
        find(earlier, **given)
    return str(caught.value)


def record(kind: str, data: str, *, id: int = 1, name: str = "www.example.org") -> dict[str, Any]:
    return {"id": id, "type": kind, "name": name, "data": data}


@pytest.mark.parametrize(
    ("name", "domain", "its_record"),
    [
        ("example.org", "example.org", "@"),
        ("www.example.org", "example.org", "www"),
        ("a.b.example.org", "b.example.org", "a"),
        ("b.example.org", "b.example.org", "@"),
        ("*.example.org", "example.org", "*"),
        ("*.b.example.org", "b.example.org", "*"),
    ],
)
def test_a_name_is_in_the_longest_domain_above_it(name: str, domain: str, its_record: str) -> None:
    (found,) = placed([name], ["org.example", "example.org", "b.example.org"], project="slipway")
    assert found == PlacedName(name=name, domain=domain, record=its_record)


def test_a_domain_that_only_ends_alike_is_another_one() -> None:
    with pytest.raises(SlipwayError) as caught:
        placed(["myexample.org"], ["example.org", "b.example"], project="shop")
    assert str(caught.value) == (
        "shop:dns is digitalocean, but the account has no domain for the name myexample.org (it has"
        " b.example, example.org): add it at DigitalOcean, or set shop:dns none"
    )
    with pytest.raises(SlipwayError, match=r"\(it has none\)"):
        placed(["example.org"], [], project="shop")


def test_the_names_of_all_sites_are_found_on_all_pages(account: type[Account]) -> None:
    shop = {"appName": "shop", "serverNames": ["shop.other.example"]}
    assert [(each.domain, each.record) for each in find({}, shop)] == [
        ("example.org", "www"),
        ("other.example", "shop"),
    ]
    assert account.asked.count("domains") == 2


def test_nobody_is_asked_where_the_dns_is_somebody_else_s(account: type[Account]) -> None:
    assert find(dns="none") == []
    assert find(serverNames=[]) == []
    assert account.asked == []


@pytest.mark.parametrize(
    ("kind", "data"), [("A", "198.51.100.1"), ("AAAA", "2001:db8::1"), ("CNAME", "other.example")]
)
def test_a_record_of_somebody_else_is_not_touched(
    account: type[Account], kind: str, data: str
) -> None:
    account.records = [record("TXT", "hello", id=2), record(kind, data)]
    assert refusal() == (
        f"www.example.org has a record {kind} {data} at DigitalOcean, which is not Slipway's:"
        " delete it there, or set slipway:dns none"
    )
    assert find({dns.OUTPUT: ["1"]}), "it is ours"
    assert find({dns.OUTPUT: [1]}), "also as a number"


def test_records_that_lead_nowhere_stay_as_they_are(account: type[Account]) -> None:
    account.records = [
        record("TXT", "hello"),
        record("MX", "mail.example.org"),
        record("A", "198.51.100.1", name="example.org"),
    ]
    assert len(find()) == 1
    assert "droplets" not in account.asked


@pytest.mark.parametrize("address", [OURS, BALANCER])
def test_what_an_update_that_was_cut_short_made_is_ours(
    account: type[Account], address: str
) -> None:
    account.records = [record("A", address)]
    assert len(find()) == 1


def test_the_address_of_another_environment_s_load_balancer_is_not_ours(
    account: type[Account],
) -> None:
    account.records = [record("A", "203.0.113.90")]
    assert "has a record A 203.0.113.90" in refusal()


def test_an_account_that_cannot_be_asked_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", "token of this test")
    monkeypatch.setattr(pulumi, "get_project", lambda: "slipway")
    monkeypatch.setattr(api, "api_endpoint", lambda: "http://127.0.0.1:9")
    said = refusal()
    assert said.startswith("slipway:dns is digitalocean, and http://127.0.0.1:9 cannot be asked")
    assert "refused" in said
