"""`Domain`, `DnsRecord` and `getDomain` as the engine meets them, against the local cloud's API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local_cloud.api.conftest import Api
from tests.local_cloud.plugins.digitalocean.plugin_process import (
    UNKNOWN,
    PluginError,
    PluginProcess,
)
from tests.local_cloud.plugins.digitalocean.words import ALIAS, RECORD, ZONE, Made

GET_DOMAIN = "digitalocean:index/getDomain:getDomain"


@pytest.fixture
def domain(plugin: PluginProcess) -> Made:
    return Made(plugin, ZONE, {"name": "example.com"})


def records(api: Api, query: str = "") -> list[dict[str, Any]]:
    path = f"/v2/domains/example.com/records{query}"
    found: list[dict[str, Any]] = api.ok("GET", path)["domain_records"]
    return found


def test_a_domain_is_known_by_its_name(domain: Made, api: Api) -> None:
    assert domain.id == "example.com"
    told = {name: domain.state[name] for name in ("name", "ttl", "domainUrn")}
    assert told == {"name": "example.com", "ttl": 1800, "domainUrn": "do:domain:example.com"}
    assert domain.state.get("ipAddress") is None
    assert domain.diff()["changes"] == "DIFF_NONE"
    domain.delete()
    assert api.ok("GET", "/v2/domains")["domains"] == []
    assert "id" not in domain.refresh()


def test_a_domain_without_a_name_is_refused(plugin: PluginProcess) -> None:
    (failure,) = plugin.check(ZONE, {})["failures"]
    assert 'argument "name" is required' in failure["reason"]


def test_any_change_of_a_domain_needs_a_new_one(plugin: PluginProcess, domain: Made) -> None:
    changes: list[dict[str, Any]] = [{"name": "example.org"}, {"ipAddress": "192.0.2.1"}]
    for change in changes:
        diff = domain.diff(**change)
        assert diff["replaces"] == list(change)
        # Its name is no automatic one, so the official plugin does not ask for the old to go first.
        assert "deleteBeforeReplace" not in diff


def test_an_address_of_a_domain_is_kept_in_the_state(plugin: PluginProcess, api: Api) -> None:
    made = Made(plugin, ZONE, {"name": "example.com", "ipAddress": "192.0.2.1"})
    assert made.refresh()["properties"]["ipAddress"] == "192.0.2.1"
    assert records(api, "?type=A")[0]["data"] == "192.0.2.1"


def test_a_domain_that_exists_is_refused(plugin: PluginProcess, domain: Made) -> None:
    with pytest.raises(PluginError, match=r"domain 'example\.com': name already exists"):
        Made(plugin, ZONE, {"name": "example.com"})


@pytest.mark.parametrize(
    ("program", "told"),
    [
        ({"type": "A", "name": "www", "value": "192.0.2.1"}, {"fqdn": "www.example.com"}),
        ({"type": "A", "name": "@", "value": "192.0.2.1", "ttl": 60}, {"fqdn": "example.com"}),
        ({"type": "CNAME", "name": "www", "value": "a.example.org."}, {}),
        ({"type": "MX", "name": "@", "value": "mail.example.org.", "priority": 0}, {}),
        (
            {
                "type": "SRV",
                "name": "_sip._tcp",
                "value": "sip.example.org.",
                "priority": 1,
                "weight": 2,
                "port": 5060,
            },
            {},
        ),
        ({"type": "TXT", "name": "_acme-challenge", "value": "token"}, {"priority": 0}),
        (
            {"type": "CAA", "name": "@", "value": "letsencrypt.org.", "flags": 0, "tag": "issue"},
            {},
        ),
        (
            {"type": "CAA", "name": "@", "value": "mailto:a@b.c", "flags": 0, "tag": "iodef"},
            {},
        ),
        # Names with the domain are answered without it, which is no change.
        (
            {"type": "A", "name": "www.example.com.", "value": "192.0.2.1"},
            {"name": "www", "fqdn": "www.example.com"},
        ),
        ({"type": "A", "name": "example.com.", "value": "192.0.2.1"}, {"name": "@"}),
        ({"type": "CNAME", "name": "www", "value": "example.com."}, {"value": "@"}),
    ],
    ids=lambda part: f"{part.get('type', '')}-{part.get('value', '')}",
)
@pytest.mark.usefixtures("domain")
def test_a_record_is_as_it_was_given(
    plugin: PluginProcess, program: dict[str, Any], told: dict[str, Any]
) -> None:
    program = {"domain": "example.com", **program}
    made = Made(plugin, RECORD, program)
    wanted = {"ttl": 1800, **program, **told}
    assert {name: made.state[name] for name in wanted} == wanted
    assert made.diff()["changes"] == "DIFF_NONE"
    found = made.refresh()
    assert found["properties"] == made.state
    again = plugin.read(RECORD, f"example.com,{made.id}")
    assert again["id"] == made.id
    assert again["properties"] == made.state


@pytest.mark.usefixtures("domain")
def test_a_record_changes_in_place_but_for_its_type_and_domain(
    plugin: PluginProcess, api: Api
) -> None:
    made = Made(plugin, RECORD, ALIAS)
    assert "replaces" not in made.diff(name="shop", value="c.example.org.", ttl=60)
    fixed: list[dict[str, Any]] = [{"type": "TXT"}, {"domain": "example.org"}]
    for change in fixed:
        assert made.diff(**change)["replaces"] == list(change)
    state = made.update(name="shop", value="c.example.org.", ttl=60)
    assert (state["name"], state["value"], state["ttl"]) == ("shop", "c.example.org.", 60)
    (record,) = records(api, "?type=CNAME")
    assert (record["id"], record["data"]) == (int(made.id), "c.example.org")
    made.update(ttl=None)
    assert made.state["ttl"] == 60, "the API decides where the program does not"
    made.delete()
    made.delete()
    assert records(api, "?type=CNAME") == []
    assert "id" not in made.refresh()


@pytest.mark.usefixtures("domain")
def test_what_was_changed_by_hand_is_seen(plugin: PluginProcess, api: Api) -> None:
    made = Made(plugin, RECORD, ALIAS)
    path = f"/v2/domains/example.com/records/{made.id}"
    api.ok("PATCH", path, json={"type": "CNAME", "data": "x.example.org."})
    assert made.refresh()["inputs"]["value"] == "x.example.org."


def test_a_record_without_a_name_gets_an_automatic_one(plugin: PluginProcess) -> None:
    inputs = plugin.check(RECORD, {"domain": "a.com", "type": "A", "value": "192.0.2.1"})["inputs"]
    assert inputs["name"].startswith("www-")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"type": "PTR"}, "expected type to be one of"),
        ({"ttl": 0}, "expected ttl to be at least (1), got 0"),
        ({"priority": 65536}, "expected priority to be in the range (0 - 65535), got 65536"),
        ({"flags": 256}, "expected flags to be in the range (0 - 255), got 256"),
        ({"tag": "issuemail"}, "expected tag to be one of"),
        ({"domain": ""}, "domain must not be empty"),
        ({"value": None}, 'argument "value" is required'),
    ],
)
def test_a_wrong_input_is_refused_by_name(
    plugin: PluginProcess, change: dict[str, Any], message: str
) -> None:
    program = {name: value for name, value in {**ALIAS, **change}.items() if value is not None}
    (failure,) = plugin.check(RECORD, program)["failures"]
    assert message in failure["reason"]


@pytest.mark.parametrize(
    ("program", "missing"),
    [
        ({"type": "MX"}, "`priority` is required for when type is `MX`"),
        ({"type": "SRV"}, "`priority` is required for when type is `SRV`"),
        ({"type": "SRV", "priority": 0}, "`weight` is required for when type is `SRV`"),
        ({"type": "CAA"}, "`flags` is required for when type is `CAA`"),
        ({"type": "CAA", "flags": 0}, "`tag` is required for when type is `CAA`"),
    ],
)
def test_what_a_type_needs_is_asked_for_in_the_preview(
    plugin: PluginProcess, program: dict[str, Any], missing: str
) -> None:
    with pytest.raises(PluginError, match=missing):
        plugin.create(RECORD, {**ALIAS, **program}, preview=True)


def test_a_preview_says_which_values_come_later(plugin: PluginProcess) -> None:
    told = plugin.create(RECORD, ALIAS, preview=True)["properties"]
    assert (told["fqdn"], told["ttl"]) == (UNKNOWN, UNKNOWN)
    assert plugin.create(ZONE, {"name": "a.com"}, preview=True)["properties"]["ttl"] == UNKNOWN


@pytest.mark.usefixtures("domain")
def test_a_domain_is_looked_up(plugin: PluginProcess, api: Api) -> None:
    found = plugin.invoke(GET_DOMAIN, {"name": "example.com"})["return"]
    zone_file = api.ok("GET", "/v2/domains/example.com")["domain"]["zone_file"]
    assert found == {
        "id": "example.com",
        "name": "example.com",
        "ttl": 1800,
        "domainUrn": "do:domain:example.com",
        "zoneFile": zone_file,
    }
    with pytest.raises(PluginError, match=r"domain not found: GET .*: 404"):
        plugin.invoke(GET_DOMAIN, {"name": "example.org"})
    with pytest.raises(PluginError, match='"name" is required'):
        plugin.invoke(GET_DOMAIN, {})
