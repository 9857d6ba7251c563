"""A server that is lost in the middle of a release: its own visitors may notice, nobody else."""

from __future__ import annotations

import pytest

from tests.fleet.faults import cut_off, full_disk, switched_off
from tests.fleet.fleet import WebServers
from tests.fleet.update import Update

pytestmark = pytest.mark.hosts

#: What the balancer had sent to a server at the moment of its death is lost with it: of each of
#: the eight visitors the one request that it waits for. What comes later goes to another server.
REQUESTS_IN_FLIGHT = 8
SECONDS_TO_GO_BACK = 30


@pytest.mark.parametrize(
    ("moment", "when"),
    [("while it stages", "web-3-stage updating"), ("before it starts", "web-3-stage updated")],
)
def test_a_server_that_dies_before_a_switch_stops_the_release_by_name(
    fleet: WebServers, moment: str, when: str
) -> None:
    old = fleet.id_of_the_application()
    with fleet.visited(most_failed=REQUESTS_IN_FLIGHT) as visitors:
        new = fleet.new_edition()
        with Update(fleet.site) as update:
            update.wait_for(when)
            with switched_off(fleet, "web-3"):
                said = update.end(fails=True)
                assert "(web-3-" in said.split("Diagnostics:")[1], said
                fleet.serve(old, on=["web", "web-2", "web-4"])
                assert "web-3" in fleet.status(exits=2)
        fleet.serve(old, within=SECONDS_TO_GO_BACK)
    assert set(visitors.seen) == {old}
    with fleet.visited():
        fleet.end_on(new)


def test_a_server_that_dies_while_others_switch_takes_them_back_to_the_old_release(
    fleet: WebServers,
) -> None:
    old = fleet.id_of_the_application()
    with fleet.visited(most_failed=REQUESTS_IN_FLIGHT):
        new = fleet.new_edition()
        with Update(fleet.site) as update:
            update.wait_for("web-switch updating")
            with switched_off(fleet, "web-4"):
                said = update.end(fails=True)
                assert "(web-4-" in said.split("Diagnostics:")[1], said
                fleet.serve(old, on=["web", "web-2", "web-3"], within=SECONDS_TO_GO_BACK)
        fleet.serve(old, within=SECONDS_TO_GO_BACK)
    with fleet.visited():
        fleet.end_on(new)


def test_a_server_whose_network_is_cut_stops_the_release_by_name(fleet: WebServers) -> None:
    old = fleet.id_of_the_application()
    with fleet.visited(most_failed=REQUESTS_IN_FLIGHT):
        new = fleet.new_edition()
        with Update(fleet.site) as update:
            update.wait_for("web-2-stage updating")
            with cut_off(fleet, "web-2"):
                said = update.end(fails=True)
        assert "(web-2-" in said.split("Diagnostics:")[1], said
        fleet.serve(old)
    with fleet.visited():
        fleet.end_on(new)


def test_one_full_disk_stops_the_release_by_name_and_leaves_nothing_behind(
    fleet: WebServers,
) -> None:
    old = fleet.id_of_the_application()
    with fleet.visited():
        new = fleet.new_edition()
        with full_disk(fleet, "web-2"):
            said = fleet.site.run("scripts/up local", fails=True).stdout
            left = fleet.everywhere("sudo ls -A /srv/site/releases", "web-2")["web-2"]
        assert "web-2-stage" in said
        assert "no space left on the disk" in said
        assert not [name for name in left.split() if name.startswith(".") or name == new]
        fleet.serve(old)
        fleet.end_on(new)
