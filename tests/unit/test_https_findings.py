"""What is wrong with certificates, how bad that is, and what helps."""

from __future__ import annotations

from typing import Any

import pytest

from cli.servers import certificates, https_findings
from cli.servers.desired_state import expectations
from cli.servers.finding import DAY, Finding, Level
from cli.servers.status_table import _cells
from tests.unit.stack_state import NOW, facts, file, resources, urn

CERTIFICATES = file("web", "certificates", "/etc/slipway/certificates.json")
EXPECTED = expectations([*resources(), CERTIFICATES])["web"]
AGAIN = "scripts/certificates local renew tries it now"


def site(left: float = 0.9, days: float = 90, **changed: Any) -> dict[str, Any]:
    """What `certctl status` says of a site; with a good certificate if nothing else is said."""
    begins = NOW - days * DAY * (1 - left)
    return {
        "names": ["www.shop.example", "shop.example"],
        "last": last(),
        "placeholder": False,
        "issuer": "Let's Encrypt",
        "serial": "0123456789abcdef",
        "begins": begins,
        "ends": begins + days * DAY,
        "life_left": left,
        "renewed_from": begins + days * DAY * 2 / 3,
        "served": True,
        **changed,
    }


def last(outcome: str = "ordered", reason: str = "") -> dict[str, Any]:
    return {"outcome": outcome, "reason": reason}


def judged(**https: Any) -> list[Finding]:
    return list(https_findings.of_server(EXPECTED, {"https": https}, "local"))


def the_one(state: dict[str, Any]) -> Finding:
    (found,) = judged(shop=state)
    assert found.server == "web"
    return found


def test_a_good_certificate_is_nothing_to_talk_about() -> None:
    assert judged(shop=site(), blog=site(0.26)) == []
    assert list(https_findings.of_server(EXPECTED, {}, "local")) == []
    assert list(https_findings.of_server(EXPECTED, {"https": None}, "local")) == []


def test_a_server_that_cannot_tell_is_an_alarm() -> None:
    (found,) = judged(error="certctl: not found")
    assert found.level is Level.CRITICAL
    assert found.text == "what is served over HTTPS cannot be told: certctl: not found"


def test_a_site_without_any_certificate_is_repaired() -> None:
    state = {"names": [], "last": last(), "problem": "there is no certificate"}
    found = the_one(state)
    assert (found.level, found.text) == (Level.CRITICAL, "shop: there is no certificate")
    assert found.repair == (urn("web-certificates"),)


@pytest.mark.parametrize(
    ("state", "level", "said"),
    [
        (
            site(placeholder=True, last=last("waiting", "shop.example leads nowhere")),
            Level.WARNING,
            "there is no certificate for www.shop.example, shop.example yet: shop.example leads"
            " nowhere",
        ),
        (
            site(placeholder=True, last=last("")),
            Level.WARNING,
            "there is no certificate for www.shop.example, shop.example yet: nothing was ordered"
            " yet",
        ),
        (
            site(-0.1, last=last("failed", "the CA is away")),
            Level.CRITICAL,
            "the certificate has run out: the CA is away",
        ),
        (site(0), Level.CRITICAL, "the certificate has run out: it was not renewed"),
        (
            site(0.2, last=last("failed", "the CA is away")),
            Level.CRITICAL,
            "the certificate runs out in 18 days, and was not renewed: the CA is away",
        ),
        (
            site(0.2, days=6),
            Level.CRITICAL,
            "the certificate runs out in 1 days, and was not renewed",
        ),
        (
            site(last=last("waiting", "new.example leads nowhere")),
            Level.WARNING,
            "there is no certificate for all names yet: new.example leads nowhere",
        ),
        (
            site(0.3, last=last("failed", "the CA is away")),
            Level.WARNING,
            "the last renewal failed: the CA is away",
        ),
    ],
)
def test_what_a_new_order_helps_is_said_with_it(
    state: dict[str, Any], level: Level, said: str
) -> None:
    found = the_one(state)
    assert (found.level, found.text, found.advice) == (level, f"shop: {said}", AGAIN)
    assert not found.repair


def test_what_nginx_has_not_read_is_an_alarm_and_repaired() -> None:
    found = the_one(site(served=False))
    assert found.text == "shop: what nginx serves is not the certificate that is there"
    assert (found.level, found.repair) == (Level.CRITICAL, (urn("web-certificates"),))
    both = judged(shop=site(served=False, last=last("failed", "busy")))
    assert [each.level for each in both] == [Level.WARNING, Level.CRITICAL]


def test_the_status_shows_the_certificate_that_ends_first() -> None:
    def cell(**changed: Any) -> str:
        return _cells({**facts(), **changed})[5]

    assert cell() == "-"
    assert cell(https={"shop": site(), "blog": site(0.5)}) == "45 days"
    assert cell(https={"shop": site(placeholder=True)}) == "-"
    assert cell(https={"shop": {"problem": "there is no certificate"}}) == "-"
    assert cell(https={"error": "certctl: not found"}) == "-"
    own = {"/etc/ssl/own.pem": NOW + 12 * DAY}
    assert cell(https={"shop": site()}, certificates=own) == "12 days"


def test_the_table_has_a_row_for_each_site_on_each_server() -> None:
    placeholder = site(placeholder=True, served=False, last=last("waiting", "it leads away"))
    leads = {"www.shop.example": ["203.0.113.7", "203.0.113.8"], "shop.example": []}
    nothing = {"names": ["a.example"], "last": last(""), "problem": "there is no certificate"}
    shown = certificates.table(
        {
            "web": {"shop": site(leads=leads), "blog": nothing},
            "web-2": {"shop": {**placeholder, "leads": leads}},
        }
    )
    rows = list(zip(*(list(column.cells) for column in shown.columns), strict=True))
    names = "www.shop.example → 203.0.113.7, 203.0.113.8\nshop.example → -"
    assert rows == [
        ("blog", "a.example → -", "web", "nobody yet", "-", "-", "-", "something else"),
        (
            *("shop", names, "web", "Let's Encrypt", "81 days", "2027-03-07", "ordered"),
            "0123456789ab",
        ),
        (
            *("shop", names, "web-2", "nobody yet", "-", "-", "waiting: it leads away"),
            "something else",
        ),
    ]
    assert [row.style for row in shown.rows] == ["yellow", None, "yellow"]
