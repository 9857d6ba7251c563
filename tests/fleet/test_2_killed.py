"""An update that is killed in the middle: kill -9 for the engine, its language host and plugins."""

from __future__ import annotations

import pytest

from tests.fleet.fleet import WebServers
from tests.fleet.update import Update

pytestmark = pytest.mark.hosts

#: `confirmSeconds`, and a little; and what the way back itself takes.
SECONDS_UNTIL_A_TIMER = 12
SECONDS_TO_GO_BACK = 30


@pytest.mark.parametrize(
    ("moment", "when"),
    [
        ("while staging", "web-3-stage updating"),
        ("while starting", "web-start updating"),
    ],
)
def test_killed_before_a_switch_the_old_release_serves_on(
    fleet: WebServers, moment: str, when: str
) -> None:
    old = fleet.id_of_the_application()
    with fleet.visited() as visitors:
        new = fleet.new_edition()
        with Update(fleet.site) as update:
            update.wait_for(when)
            update.kill()
        fleet.serve(old)
    assert set(visitors.seen) == {old}
    with fleet.visited():
        fleet.end_on(new)


@pytest.mark.parametrize(
    ("moment", "when"),
    [
        ("between two servers", "web-switch updated"),
        ("while others switch", "web-3-switch updated"),
    ],
)
def test_killed_while_switching_all_servers_go_back_by_themselves(
    fleet: WebServers, moment: str, when: str
) -> None:
    old = fleet.id_of_the_application()
    with fleet.visited():
        new = fleet.new_edition()
        with Update(fleet.site) as update:
            update.wait_for(when)
            update.kill()
        fleet.serve(old, within=SECONDS_TO_GO_BACK)
        assert fleet.site.output("release")["id"] == old
        fleet.end_on(new)


def test_killed_while_switching_the_next_up_need_not_wait_for_the_way_back(
    fleet: WebServers,
) -> None:
    with fleet.visited():
        new = fleet.new_edition()
        with Update(fleet.site) as update:
            update.wait_for("web-2-switch updated")
            update.kill()
        fleet.end_on(new)
        # What was armed to go back is not any more.
        fleet.stay_on(new, seconds=SECONDS_UNTIL_A_TIMER)


def test_killed_while_switching_the_way_back_may_be_chosen_as_well(fleet: WebServers) -> None:
    """Whoever sees it go wrong takes the change back, and updates."""
    old = fleet.id_of_the_application()
    with fleet.visited():
        with (
            fleet.edited("app/templates/users.html", "<h1>", "<h1>A mistake: "),
            Update(fleet.site) as update,
        ):
            update.wait_for("web-2-switch updated")
            update.kill()
        fleet.end_on(old)
        fleet.stay_on(old, seconds=SECONDS_UNTIL_A_TIMER)


def test_killed_while_settling_the_servers_agree_also_if_the_change_is_taken_back(
    fleet: WebServers,
) -> None:
    """One cannot go back by itself any more, and the state does not even know it."""
    old = fleet.id_of_the_application()
    with (
        fleet.visited(),
        fleet.edited("app/templates/users.html", "<h1>", "<h1>About to confirm: ") as new,
        Update(fleet.site) as update,
    ):
        update.wait_for("web-4-switch updated")
        update.kill()
        fleet.everywhere(f"sudo releasectl --app site confirm {new}", "web-2")
    with fleet.visited():
        fleet.end_on(old)
        fleet.stay_on(old, seconds=SECONDS_UNTIL_A_TIMER)
