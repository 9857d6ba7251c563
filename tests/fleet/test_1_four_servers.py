"""Four web servers, one, and four again, and releases over them; visitors come all the time."""

from __future__ import annotations

import pytest

from tests.fleet.fleet import WebServers
from tests.visitors import Visitors

pytestmark = pytest.mark.hosts


def test_four_servers_become_one_and_four_again_and_no_visitor_notices(fleet: WebServers) -> None:
    # Without a load balancer visitors talk to nginx, which reads its files anew.
    with fleet.visited(most_asked_again=2 * Visitors.connections):
        with fleet.setting(webCount=1):
            fleet.up()
            assert fleet.names == ["web"]
        fleet.site.pulumi("up --stack local --yes --skip-preview")
        fleet.site.forget_fleet()
    assert fleet.names == ["web", "web-2", "web-3", "web-4"]
    fleet.serve(fleet.id_of_the_application())


def test_a_second_up_changes_nothing(fleet: WebServers) -> None:
    fleet.up_changes_nothing()


def test_the_status_shows_four_servers_on_one_release(fleet: WebServers) -> None:
    told = fleet.status(exits=0)
    assert "local: all is well" in told
    assert told.count(fleet.id_of_the_application()) == 4


def test_a_repair_brings_the_load_balancers_address_back_to_a_server(fleet: WebServers) -> None:
    file = "/etc/slipway/site/balancer"
    address = fleet.everywhere(f"cat {file}", "web-2")
    fleet.everywhere(f"echo 192.0.2.1 web-2 | sudo tee {file}", "web-2")
    assert f"{file} was changed on the server" in fleet.status(exits=1)
    with fleet.visited():
        fleet.site.run("scripts/repair local")
    assert fleet.everywhere(f"cat {file}", "web-2") == address
    assert "local: all is well" in fleet.status(exits=0)


def test_no_visitor_notices_two_releases_a_bad_one_and_a_rollback(fleet: WebServers) -> None:
    first = fleet.id_of_the_application()
    with fleet.visited() as visitors:
        second = fleet.new_edition()
        fleet.up()
        third = fleet.new_edition()
        fleet.up()
        with fleet.edited("app/wsgi.py", "app = Flask(", "app = no_such_name(") as bad:
            said = fleet.site.run("scripts/up local", fails=True).stdout
        assert "NameError: name 'no_such_name' is not defined" in said
        fleet.serve(third)
        fleet.site.run("scripts/rollback local")
    assert set(visitors.seen) == {first, second, third}
    assert bad not in visitors.seen
    fleet.serve(second)
    fleet.site.run(f"scripts/rollback local {third}")
    fleet.serve(third)
