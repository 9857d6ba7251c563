"""Where visitors come in: by an address that stays, and by names that lead there."""

from __future__ import annotations

import pytest

from components.core.errors import SlipwayError
from tests.components.conftest import Run, plain

NAMES = {"serverNames": ["www.example.org"], "redirectNames": {"example.org": "www.example.org"}}


def test_an_address_of_its_own_leads_to_the_web_server(run: Run) -> None:
    engine = run(reservedIp=True)
    (reserved,) = engine.all(":ReservedIp")
    assert plain(reserved.inputs["dropletId"]) == len("web")
    assert engine.exports["url"] == "http://203.0.113.90/"


def test_records_to_set_by_hand_have_that_address(run: Run) -> None:
    engine = run(reservedIp=True, **NAMES)
    assert engine.exports["records_to_set"] == [
        "www.example.org A 203.0.113.90",
        "example.org A 203.0.113.90",
    ]
    assert not engine.all(":DnsRecord")


def test_behind_a_load_balancer_there_is_no_need_for_one(run: Run) -> None:
    with pytest.raises(SlipwayError, match="reservedIp is true, and the environment has a load"):
        run(reservedIp=True, webCount=2)
