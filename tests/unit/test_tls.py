"""Where HTTPS ends, as the settings have it, and why it does not where it cannot."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from components.core.errors import SlipwayError
from components.settings import tls
from components.settings.tls import FORGETS, HSTS_OUTPUT, INSISTS, Tls, certified_names, choose
from tests.unit.test_settings import settings
from tests.unit.test_site import sites

WWW: dict[str, Any] = {"serverNames": ["www.example.org", "example.org"]}
AGREED: dict[str, Any] = {**WWW, "acmeTermsAgreed": True}
SHOP = {"appName": "shop", "serverNames": ["shop.example.org", "*.shops.example.org"]}
BALANCED: dict[str, Any] = {"webCount": 2, "dns": "digitalocean"}
TOLD = {HSTS_OUTPUT: INSISTS}


def chosen(*further: dict[str, Any], earlier: dict[str, Any] | None = None, **given: Any) -> Tls:
    return choose(sites(*further, **given), earlier or {})


def refusal(*further: dict[str, Any], earlier: dict[str, Any] | None = None, **given: Any) -> str:
    with pytest.raises(SlipwayError) as caught:
        chosen(*further, earlier=earlier, **given)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        ({}, "off"),
        (AGREED, "servers"),
        ({**AGREED, "tls": "servers"}, "servers"),
        ({**AGREED, "tls": "off"}, "off"),
        ({**AGREED, "webCount": 2}, "servers"),
        ({**WWW, **BALANCED}, "balancer"),
        ({**WWW, **BALANCED, "webCount": 1, "loadBalancer": True}, "balancer"),
        ({**WWW, **BALANCED, "tls": "balancer"}, "balancer"),
        ({**AGREED, **BALANCED, "tls": "servers"}, "servers"),
        ({**AGREED, "dns": "digitalocean"}, "servers"),
        ({**AGREED, "webCount": 2, "webPort": 8080}, "servers"),
        ({**AGREED, "webCount": 2, "httpFrom": ["192.0.2.0/24"]}, "servers"),
        ({**AGREED, "httpFrom": ["0.0.0.0/1", "128.0.0.0/1"]}, "servers"),
    ],
)
def test_it_ends_where_the_settings_say_or_where_it_fits_best(
    given: dict[str, Any], mode: str
) -> None:
    found = chosen(**given)
    assert found.mode == mode
    assert not found.is_warning
    assert bool(found.why) is (mode != "off")
    assert bool(found.url) is (mode != "off")


def test_every_site_with_a_name_has_a_certificate_and_no_wildcard_is_in_it() -> None:
    found = chosen(SHOP, **AGREED)
    assert found.certified == ("site", "shop")
    assert found.visited == {
        "site": {"names": ["www.example.org", "example.org"], "port": 443},
        "shop": {"names": ["shop.example.org"], "port": 443},
    }
    assert found.url == "https://www.example.org/"
    names = "www.example.org, example.org, shop.example.org"
    assert found.why.startswith(f"HTTPS of {names} ends at nginx on the servers")
    found = chosen(SHOP, acmeTermsAgreed=True)
    assert found.certified == ("shop",), "the first site has no name"
    only_wildcards = {**SHOP, "serverNames": ["*.shops.example.org"]}
    assert chosen(only_wildcards, acmeTermsAgreed=True).mode == "off"
    assert certified_names(settings(serverNames=["*.a.example", "a.example"])) == ["a.example"]


def test_on_this_machine_visitors_come_by_the_port_that_leads_there() -> None:
    assert chosen(**AGREED, localTlsPort=8443).url == "https://www.example.org:8443/"


def test_the_servers_serve_visitors_at_one_port_more_where_it_ends_there() -> None:
    wanted = settings(**AGREED, webPort=80)
    assert chosen(**AGREED).visited_ports(wanted) == [80, 443]
    assert chosen(**WWW, **BALANCED).visited_ports(wanted) == [80]
    assert tls.HTTPS_OFF.visited_ports(settings(webPort=8081)) == [8081]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"tls": "servers", "acmeTermsAgreed": True},
            "slipway:tls is servers: no site has a name: set slipway:serverNames",
        ),
        (
            {**AGREED, "tls": "servers", "webPort": 8080},
            "slipway:tls is servers: slipway:webPort is 8080, and a CA asks at port 80 only",
        ),
        (
            {**WWW, "tls": "servers"},
            "slipway:tls is servers: the CA (https://acme-v02.api.letsencrypt.org/directory) wants"
            " its terms of service agreed to: pulumi config set acmeTermsAgreed true",
        ),
        (
            {**WWW, "tls": "balancer", "dns": "digitalocean"},
            "slipway:tls is balancer: there is no load balancer: set slipway:loadBalancer true, or"
            " slipway:webCount to 2 or more",
        ),
        (
            {**WWW, "tls": "balancer", "webCount": 2},
            "slipway:tls is balancer: DigitalOcean orders certificates only for names in its own"
            " DNS: set slipway:dns digitalocean, or slipway:tls servers",
        ),
    ],
)
def test_what_is_asked_for_by_name_and_cannot_be_is_refused(
    given: dict[str, Any], said: str
) -> None:
    assert refusal(**given) == said


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        (WWW, "wants its terms of service agreed to"),
        ({**AGREED, "webPort": 8080}, "slipway:webPort is 8080"),
        ({**AGREED, "httpFrom": ["192.0.2.0/24"]}, "slipway:httpFrom does not let everybody in"),
    ],
)
def test_what_nobody_asked_for_by_name_is_a_warning(given: dict[str, Any], missing: str) -> None:
    found = chosen(**given)
    assert (found.mode, found.is_warning, found.url) == ("off", True, "")
    assert found.why.startswith("the site is served without HTTPS: ")
    assert missing in found.why
    assert found.certified == ()


def test_browsers_are_told_to_insist_and_later_to_forget() -> None:
    assert chosen(**AGREED).hsts == ""
    assert chosen(**AGREED, hstsSeconds=300).hsts == INSISTS
    assert chosen(**AGREED, earlier=TOLD, hstsSeconds=300).hsts == INSISTS
    assert chosen(**AGREED, earlier=TOLD).hsts == FORGETS
    assert chosen(**AGREED, earlier={HSTS_OUTPUT: FORGETS}).hsts == FORGETS
    assert chosen(**AGREED, earlier={HSTS_OUTPUT: ""}).hsts == ""


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({**AGREED, "tls": "off"}, ""),
        ({}, "no site has a name"),
        (WWW, "wants its terms of service agreed to"),
    ],
)
def test_a_site_does_not_lose_https_while_browsers_insist_on_it(
    given: dict[str, Any], reason: str
) -> None:
    said = refusal(earlier=TOLD, **given)
    assert "on which browsers insist since slipway:hstsSeconds was set" in said
    assert "update once with slipway:hstsSeconds 0" in said
    assert reason in said
    assert chosen(earlier={HSTS_OUTPUT: FORGETS}, **given).mode == "off"


@pytest.mark.parametrize("is_preview", [True, False])
def test_a_warning_is_always_said_and_a_choice_in_previews(
    monkeypatch: pytest.MonkeyPatch, is_preview: bool
) -> None:
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda text: said.append(("warn", text)))
    monkeypatch.setattr(pulumi.log, "info", lambda text: said.append(("info", text)))
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: is_preview)
    warning, choice = chosen(**WWW), chosen(**AGREED)
    for each in (warning, choice, tls.HTTPS_OFF):
        tls.tell(each)
    assert said == [("warn", warning.why), *([("info", choice.why)] if is_preview else [])]


def test_a_wildcard_is_served_without_https_or_refused_where_https_was_asked_for() -> None:
    names = ["www.example.org", "*.example.org"]
    assert chosen(serverNames=names, acmeTermsAgreed=True).plain == ("*.example.org",)
    with pytest.raises(SlipwayError, match=r"serverNames has \*\.example\.org: a CA that asks"):
        chosen(serverNames=names, acmeTermsAgreed=True, tls="servers")
