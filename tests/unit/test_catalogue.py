"""What the provider does not have is found before anything is changed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pulumi
import pytest

from cli.project.environments import defaults
from components.core.errors import SlipwayError
from components.platform import api, catalogue
from components.platform.catalogue import Catalogue
from components.settings import foundation
from components.settings.load import parse
from components.settings.settings import Settings


def settings_of(**given: Any) -> Settings:
    return parse({**defaults(), **given})


def size(slug: str, disk: int, *, regions: tuple[str, ...] = ("fra1", "ams3")) -> dict[str, Any]:
    return {"slug": slug, "disk": disk, "available": True, "regions": regions}


SIZES = [size("s-1vcpu-1gb", 25), size("s-1vcpu-2gb", 50), size("gpu", 500, regions=("nyc1",))]
REGIONS = [
    {"slug": "fra1", "available": True},
    {"slug": "ams3", "available": True},
    {"slug": "sfo1", "available": False},
]
IMAGES: list[dict[str, Any]] = [
    {"slug": "debian-12-x64", "regions": ["fra1", "ams3"]},
    {"slug": "debian-13-x64", "regions": ["ams3"]},
    {"slug": "fedora-42-x64", "regions": ["fra1"]},
    {"slug": None, "regions": ["fra1"]},
]
WANTED = {
    "region": "fra1",
    "image": "debian-12-x64",
    "webSize": "s-1vcpu-1gb",
    "dbSize": "s-1vcpu-1gb",
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (
            {"region": "mars1"},
            "slipway:region is mars1, .* does not have: must be one of ams3, fra1",
        ),
        ({"region": "sfo1"}, "slipway:region is sfo1, "),
        (
            {"image": "debian-13-x64"},
            "slipway:image is debian-13-x64, .* in fra1: must be one of debian-12-x64$",
        ),
        (
            {"dbSize": "s-9vcpu"},
            "slipway:dbSize is s-9vcpu, .* in fra1: must be one of s-1vcpu-1gb, s-1vcpu-2gb$",
        ),
        ({"webSize": "gpu"}, "slipway:webSize is gpu, which the provider does not have in fra1"),
    ],
)
def test_what_cannot_be_had_is_named_with_what_can(changed: dict[str, str], said: str) -> None:
    has = Catalogue(sizes=SIZES, regions=REGIONS, images=IMAGES)
    has.check(WANTED, {}, "slipway")
    with pytest.raises(SlipwayError, match=said):
        has.check(WANTED | changed, {}, "slipway")


def test_a_disk_does_not_shrink() -> None:
    has = Catalogue(sizes=SIZES, regions=REGIONS, images=IMAGES)
    larger = WANTED | {"dbSize": "s-1vcpu-2gb"}
    has.check(larger, WANTED, "slipway")
    with pytest.raises(SlipwayError, match=r"slipway:dbSize is s-1vcpu-1gb, with a disk of 25 GB"):
        has.check(WANTED, larger, "slipway")


def test_of_many_sizes_those_with_like_names_are_told() -> None:
    many = [*SIZES, *(size(f"c-{number}", 50) for number in range(40))]
    has = Catalogue(sizes=many, regions=REGIONS, images=IMAGES)
    with pytest.raises(SlipwayError) as caught:
        has.check(WANTED | {"webSize": "s-1vcpu-1g"}, {}, "slipway")
    told = str(caught.value).partition("must be one of ")[2].split(", ")
    assert told[:2] == ["s-1vcpu-1gb", "s-1vcpu-2gb"]
    assert len(told) == catalogue.MOST_TOLD + 1


class Provider(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        self.asked.append(place.path)
        assert self.headers["Authorization"] == "Bearer token of this test"
        what = place.path.removeprefix("/v2/")
        all_of_it: list[Any] = {"sizes": SIZES, "regions": REGIONS, "images": IMAGES}[what]
        page = int(parse_qs(place.query)["page"][0])
        more = {"next": "further on"} if page < len(all_of_it) else {}
        body = {what: all_of_it[page - 1 : page], "links": {"pages": more}}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Provider]]:
    Provider.asked.clear()
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", "token of this test")
    monkeypatch.setattr(pulumi, "get_project", lambda: "slipway")
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(api, "api_endpoint", lambda: address)
        yield Provider
        server.shutdown()
        thread.join()


def test_the_provider_is_asked_all_pages_where_a_wish_is_new(provider: type[Provider]) -> None:
    wanted = settings_of(region="fra1", webSize="s-1vcpu-2gb", dbSize="gpu")
    with pytest.raises(SlipwayError, match="slipway:dbSize is gpu"):
        catalogue.check(wanted, {})
    assert provider.asked.count("/v2/sizes") == len(SIZES)


def test_nobody_is_asked_for_what_was_ordered_before(provider: type[Provider]) -> None:
    wanted = settings_of(region="fra1", dbSize="gpu")
    catalogue.check(wanted, {catalogue.OUTPUT: catalogue.ordered(wanted)})
    assert provider.asked == []


def test_a_provider_that_does_not_answer_is_the_update_s_affair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DIGITALOCEAN_TOKEN", "token of this test")
    monkeypatch.setattr(api, "api_endpoint", lambda: "http://127.0.0.1:9/")
    catalogue.check(settings_of(dbSize="gpu"), {})


@pytest.mark.parametrize(
    ("stack", "named", "given", "protects"),
    [
        ("production", "", {}, True),
        ("dev", "", {}, True),
        ("local", "", {}, False),
        ("dev", "db", {}, False),
        ("dev", "", {"protectDatabase": False}, False),
    ],
)
def test_the_database_server_is_protected_but_where_somebody_names_it(
    monkeypatch: pytest.MonkeyPatch,
    stack: str,
    named: str,
    given: dict[str, Any],
    protects: bool,
) -> None:
    monkeypatch.setenv(foundation.DESTROY, named)
    wanted = settings_of(**given)
    assert foundation.protects(wanted, stack) is protects
