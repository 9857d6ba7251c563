"""A switch that has to be settled: on many servers, all end on the same release."""

import json
from collections.abc import Iterator

import pytest

from tests.unit.releasectl_host import Host, new_host

LONG = ("--settle-within", "60")


@pytest.fixture
def host() -> Iterator[Host]:
    with new_host() as host:
        host.release("one")
        yield host


def staged(host: Host, page: str) -> str:
    release = host.upload(page)
    host.run("stage", release)
    return release


def calls(host: Host) -> str:
    return (host.root / "units" / "calls.log").read_text()


def promised(host: Host) -> str:
    """The id of the promise to go back."""
    return str(json.loads((host.base / "pending.json").read_text())["id"])


def test_what_served_before_runs_on_until_the_switch_is_settled(host: Host) -> None:
    before = host.running()
    two = staged(host, "two")
    host.run("switch", two, *LONG)
    assert host.page == "two"
    assert set(before) < set(host.running())
    host.run("settle", two)
    assert host.page == "two"
    assert [name.split("-")[0] for name in host.running()] == [two]


def test_a_timer_is_set_before_a_visitor_sees_it_and_stopped_when_it_is_settled(host: Host) -> None:
    two = staged(host, "two")
    host.run("switch", two, *LONG)
    promise = promised(host)
    assert f"--unit=site-revert-{promise} --on-active=60" in calls(host)
    host.run("settle", two)
    assert f"stop site-revert-{promise}.timer" in calls(host)
    assert host.run("revert").result["changed"] is False
    assert host.page == "two"


def test_a_switch_that_nobody_settles_goes_back(host: Host) -> None:
    one = host.status()["current"]
    two = staged(host, "two")
    host.run("switch", two, *LONG)
    host.run("revert")
    assert host.page == "one"
    assert host.status()["current"] == one
    assert [name.split("-")[0] for name in host.running()] == [one]
    assert host.states()[two] == "ready", "another server failed, not this release here"


def test_a_timer_that_rings_during_the_next_switch_does_not_take_that_one_back(host: Host) -> None:
    """It waits for the lock, and by the time that it has it, it is out of date."""
    two = staged(host, "two")
    host.run("switch", two, *LONG)
    rung = promised(host)
    host.run("switch", two, *LONG)
    assert promised(host) != rung
    assert host.run("revert", "--promise", rung).result["changed"] is False
    assert host.page == "two"
    assert host.run("revert", "--promise", promised(host)).result["changed"] is True
    assert host.page == "one"


def test_settling_what_went_back_switches_again(host: Host) -> None:
    two = staged(host, "two")
    host.run("switch", two, *LONG)
    host.run("revert")
    host.run("settle", two)
    assert host.page == "two"


def test_settling_twice_changes_nothing(host: Host) -> None:
    two = staged(host, "two")
    first = host.run("switch", two, *LONG).result
    settled = host.run("settle", two).result
    again = host.run("settle", two).result
    assert (settled["changed"], again["changed"]) == (True, False)
    assert first["attempt"] != settled["attempt"] != again["attempt"] == ""
    assert first["activated_at"] == settled["activated_at"] == again["activated_at"]


def test_another_release_over_an_unsettled_one_starts_from_what_served_before(host: Host) -> None:
    one = host.status()["current"]
    host.run("switch", staged(host, "two"), *LONG)
    three = staged(host, "three")
    host.run("start", three)
    assert host.page == "one", "the unsettled one is given up first"
    host.run("switch", three, *LONG)
    host.run("revert")
    assert host.status()["current"] == one


def test_the_first_release_of_all_stays_for_there_is_nothing_to_go_back_to() -> None:
    with new_host() as host:
        one = staged(host, "one")
        host.run("switch", one, *LONG)
        host.run("revert")
        assert host.page == "one"


def test_a_release_that_falls_ill_while_it_is_watched_goes_back(host: Host) -> None:
    two = host.upload(
        "two",
        files={
            "wsgi.py": "import time\nBEGIN = time.time()\n"
            "def app(environ, start_response):\n"
            "    well = time.time() - BEGIN < 1.5\n"
            "    start_response('200 OK' if well else '500 Ill', [('Content-Length', '3')])\n"
            "    return [b'two']\n"
        },
    )
    host.run("stage", two)
    failed = host.fails("switch", two, "--watch", "20", *LONG)
    assert "answers 500" in failed.told
    assert host.page == "one"
    assert host.run("revert").result["changed"] is False


def test_every_kill_leaves_a_site_that_serves_and_a_way_back(host: Host) -> None:
    two = staged(host, "two")
    effect = 1
    while host.kill_at(effect, "switch", two, *LONG):
        assert host.page in ("one", "two")
        host.run("revert")
        assert host.page == "one"
        effect += 3
    assert effect > 3
    assert host.page == "two"
