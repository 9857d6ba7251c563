"""While a release is under way: another update, a rollback, no database, a wrong clock."""

from __future__ import annotations

import time

import pytest

from tests.fleet.faults import clock_set_wrong
from tests.fleet.fleet import WebServers
from tests.fleet.update import Update
from tests.visitors import Visitors

pytestmark = pytest.mark.hosts

#: Until the balancer's checks and the application's connections have found the database again.
SECONDS_TO_RECOVER = 15


def test_of_two_updates_at_once_the_second_says_who_is_at_work(fleet: WebServers) -> None:
    with fleet.visited():
        new = fleet.new_edition()
        with Update(fleet.site) as update:
            update.wait_for("web-stage updating")
            with update.held():
                second = fleet.site.run("scripts/up local", fails=True)
                assert "local is being updated by " in second.stderr
                assert "try again later, or say --wait" in second.stderr
                plain = fleet.site.pulumi("up --stack local --yes --skip-preview", fails=True)
                assert "the stack is currently locked" in plain
            update.end()
        fleet.serve(new)


def test_a_rollback_during_an_update_waits_for_its_turn(fleet: WebServers) -> None:
    old = fleet.id_of_the_application()
    with fleet.visited():
        new = fleet.new_edition()
        with Update(fleet.site) as update:
            update.wait_for("web-start updating")
            with update.held():
                said = fleet.site.run(f"scripts/rollback local {old}", fails=True).stderr
                assert "local is being updated by " in said
            with Update(fleet.site, f"scripts/rollback local {old} --wait") as rollback:
                update.end()
                rollback.end()
        fleet.serve(old)
        assert fleet.site.output("previous_release") != new, "nobody goes forward by a rollback"
        fleet.site.run(f"scripts/rollback local {new}")
        fleet.serve(new)


def test_a_release_without_its_database_is_stopped_and_made_by_the_next_up(
    fleet: WebServers,
) -> None:
    """The page needs the database: while it is away nobody gets it, release or not."""
    old = fleet.id_of_the_application()
    with Visitors(fleet.address) as visitors:
        new = fleet.new_edition()
        with Update(fleet.site) as update:
            update.wait_for("web-stage updating")
            began = time.monotonic()
            fleet.everywhere("sudo systemctl stop postgresql@15-main", "db")
            time.sleep(10)
            fleet.everywhere("sudo systemctl start postgresql@15-main", "db")
            ended = time.monotonic() + SECONDS_TO_RECOVER
            said = update.end(fails=True)
        assert "web-release-command" in said.split("Diagnostics:")[1], said
        fleet.serve(old, within=SECONDS_TO_RECOVER)
        time.sleep(max(0, ended - time.monotonic()))
        fleet.end_on(new)
    failed = [answer for answer in visitors.answers if not answer.good]
    assert [answer for answer in failed if not began - 1 < answer.began < ended] == []
    assert set(visitors.seen) == {old, new}


def test_a_clock_that_is_an_hour_slow_and_then_right_again_changes_nothing_for_releases(
    fleet: WebServers,
) -> None:
    """On the first server, whose times stand in the outputs: they go back, and then leap."""
    first = fleet.id_of_the_application()
    with fleet.visited(), clock_set_wrong(fleet, "web", by="-1h"):
        second = fleet.new_edition()
        fleet.up()
        fleet.serve(second)
        assert fleet.site.output("previous_release") == first
        fleet.site.run("scripts/rollback local")
        fleet.serve(first)
        fleet.site.run(f"scripts/rollback local {second}")
        fleet.serve(second)
    with fleet.visited():
        third = fleet.new_edition()
        fleet.end_on(third)
    assert [each["id"] for each in fleet.site.output("releases")][:3] == [third, second, first]
