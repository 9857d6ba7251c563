"""What happens while a release is under way: another update, a rollback, no database, a wrong clock."""

from __future__ import annotations

import threading
import time

import pytest

from tests.fleet.faults import cut_off
from tests.fleet.fleet import WebServers
from tests.fleet.update import Update

pytestmark = pytest.mark.hosts


def test_of_two_updates_at_once_the_second_says_who_is_at_work(fleet: WebServers) -> None:
    with fleet.visited():
        new = fleet.new_edition()
        with Update(fleet.site) as update:
            update.wait_for("web-stage updating")
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
            said = fleet.site.run(f"scripts/rollback local {old}", fails=True).stderr
            assert "local is being updated by " in said
            with Update(fleet.site, f"scripts/rollback local {old} --wait") as rollback:
                update.end()
                rollback.end()
        fleet.serve(old)
        assert fleet.site.output("previous_release") != new, "nobody goes forward by a rollback"
        fleet.site.run(f"scripts/rollback local {new}")
        fleet.serve(new)
