"""A switch that has to be confirmed: on many servers, all end on the same release."""

import json
from collections.abc import Iterator

import pytest

from tests.unit.releasectl_host import Host, new_host

LONG = ("--confirm-within", "60")


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


def pending_id(host: Host) -> str:
    """The id of the switch that is waiting for its confirmation."""
    return str(json.loads((host.base / "pending.json").read_text())["id"])


def test_what_served_before_runs_on_until_the_switch_is_confirmed(host: Host) -> None:
    before = host.running()
    two = staged(host, "two")
    host.run("switch", two, *LONG)
    assert host.page == "two"
    assert set(before) < set(host.running())
    host.run("confirm", two)
    assert host.page == "two"
    assert [name.split("-")[0] for name in host.running()] == [two]


def test_a_timer_is_set_before_a_visitor_sees_it_and_stopped_when_it_is_confirmed(
    host: Host,
) -> None:
    two = staged(host, "two")
    host.run("switch", two, *LONG)
    pending = pending_id(host)
    assert f"--unit=site-revert-{pending} --on-active=60" in calls(host)
    host.run("confirm", two)
    assert f"stop site-revert-{pending}.timer" in calls(host)
    assert host.run("revert").result["changed"] is False
    assert host.page == "two"


def test_a_switch_that_nobody_confirms_goes_back(host: Host) -> None:
    one = host.status()["current"]
    two = staged(host, "two")
    host.run("switch", two, *LONG)
    host.run("revert")
    assert host.page == "one"
    assert host.status()["current"] == one
    assert [name.split("-")[0] for name in host.running()] == [one]
    assert host.states()[two] == "ready", "another server failed, not this release here"


def test_a_timer_that_elapses_during_the_next_switch_does_not_take_that_one_back(
    host: Host,
) -> None:
    """It waits for the lock, and by the time that it has it, it is out of date."""
    two = staged(host, "two")
    host.run("switch", two, *LONG)
    elapsed = pending_id(host)
    host.run("switch", two, *LONG)
    assert pending_id(host) != elapsed
    assert host.run("revert", "--pending", elapsed).result["changed"] is False
    assert host.page == "two"
    assert host.run("revert", "--pending", pending_id(host)).result["changed"] is True
    assert host.page == "one"


def test_confirming_what_went_back_switches_again(host: Host) -> None:
    two = staged(host, "two")
    host.run("switch", two, *LONG)
    host.run("revert")
    host.run("confirm", two)
    assert host.page == "two"


def test_confirming_twice_changes_nothing(host: Host) -> None:
    two = staged(host, "two")
    first = host.run("switch", two, *LONG).result
    confirmed = host.run("confirm", two).result
    again = host.run("confirm", two).result
    assert (confirmed["changed"], again["changed"]) == (True, False)
    assert first["attempt"] != confirmed["attempt"] != again["attempt"] == ""
    assert first["activated_at"] == confirmed["activated_at"] == again["activated_at"]


def test_another_release_over_an_unconfirmed_one_starts_from_what_served_before(host: Host) -> None:
    one = host.status()["current"]
    host.run("switch", staged(host, "two"), *LONG)
    three = staged(host, "three")
    host.run("start", three)
    assert host.page == "one", "the unconfirmed one is given up first"
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
