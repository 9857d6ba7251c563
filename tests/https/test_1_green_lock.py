"""A name and one update: visitors come over HTTPS, and nothing else has to be done."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import pytest

from tests.https.named import ALIAS, NAME, OLD_NAME, SHOP, Named

pytestmark = pytest.mark.hosts

TOKEN = "x" * 24


def test_every_name_of_every_site_has_a_certificate_that_a_browser_accepts(named: Named) -> None:
    for name in (NAME, ALIAS):
        assert "Ada Lovelace" in named.get(name=name).text
    assert named.get(name=SHOP).status == 200
    assert named.serial(app="shop") != named.serial(), "each site has one of its own"


def test_one_order_for_each_site_was_enough(named: Named) -> None:
    told = {app: named.status(app=app)["last"]["outcome"] for app in ("site", "shop")}
    assert told == {"site": "ordered", "shop": "ordered"}


def test_a_second_update_changes_nothing(named: Named) -> None:
    named.servers.up_changes_nothing()


def test_who_comes_without_https_is_sent_there(named: Named) -> None:
    answer = named.get_plain("/x?y=1")
    assert answer.status == 301
    assert answer.headers["location"] == f"https://{NAME}:{named.site.place.tls}/x?y=1"


def test_whoever_types_the_old_name_is_sent_to_the_new_one(named: Named) -> None:
    port = named.site.place
    plain, secured = named.get_plain("/a?b", OLD_NAME), named.get("/a?b", OLD_NAME)
    assert (plain.status, secured.status) == (301, 301)
    assert plain.headers["location"] == f"http://{NAME}:{port.web}/a?b"
    assert secured.headers["location"] == f"https://{NAME}:{port.tls}/a?b"


def test_the_ca_and_the_checks_of_the_health_are_not_sent_on(named: Named) -> None:
    assert named.get_plain("/healthz").status == 200
    answer = named.get_plain(f"/.well-known/acme-challenge/{TOKEN}")
    assert answer.status == 200
    assert answer.text.startswith(f"{TOKEN}.")
    assert answer.headers["content-type"] == "text/plain"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("token", ["short", "y" * 129, "a" * 20 + "%2e", "b" * 20 + "/c"])
def test_what_no_ca_would_ask_gets_no_answer(named: Named, token: str) -> None:
    assert named.get_plain(f"/.well-known/acme-challenge/{token}").status == 404


def test_a_name_that_no_site_has_is_refused(named: Named) -> None:
    with pytest.raises(ssl.SSLError, match="UNRECOGNIZED_NAME"):
        named.get(name="nobody.localhost")


def test_a_visitor_cannot_say_that_they_came_over_https(named: Named) -> None:
    listens = named.servers.everywhere("sudo cat /etc/nginx/sites-enabled/site", "web")["web"]
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in listens


def test_hsts_is_told_over_https_only_and_in_steps(named: Named) -> None:
    assert "strict-transport-security" not in named.get().headers
    with named.servers.setting(hstsSeconds=300):
        named.servers.up()
        assert named.get().headers["strict-transport-security"] == "max-age=300"
        assert "strict-transport-security" not in named.get_plain("/healthz").headers
    with named.servers.setting(tls="off"):
        said = named.site.run("scripts/up local", fails=True)
        assert "hstsSeconds 0" in said.stdout + said.stderr
    named.servers.up()
    assert named.get().headers["strict-transport-security"] == "max-age=0"


def test_keys_are_nowhere_to_be_read(named: Named) -> None:
    modes = named.servers.everywhere(
        "sudo stat -c '%a %U %n' /etc/slipway/acme-account.pem /etc/slipway/*/tls/key.pem", "web"
    )["web"]
    assert [line.split()[:2] for line in modes.splitlines()] == [["600", "root"]] * 3
    (state,) = Path(named.site.folder).glob(".slipway/.pulumi/stacks/*/local.json")
    for text in (
        state.read_text(),
        named.servers.everywhere("sudo journalctl -o cat", "web")["web"],
    ):
        assert "PRIVATE KEY" not in text


def test_status_and_certificates_tell_how_long_it_lasts(named: Named) -> None:
    assert "90 days" in named.servers.status(exits=0)
    told = named.site.run("scripts/certificates local").stdout
    address = named.site.fleet.servers["web"].address
    for name in (NAME, ALIAS, OLD_NAME):
        assert f"{name} → {address}" in told
    found = json.loads(named.site.run("scripts/certificates local --json").stdout)
    assert int(found["web"]["site"]["serial"], 16) == named.serial()


def test_in_maintenance_the_ca_is_still_answered(named: Named) -> None:
    with named.servers.setting(maintenance="Back soon"):
        named.servers.up()
        assert named.get().status == 503
        assert named.get_plain(f"/.well-known/acme-challenge/{TOKEN}").status == 200
    named.servers.up()
    assert named.get().status == 200
