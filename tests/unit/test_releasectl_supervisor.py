"""Instances under supervisor, and from one supervisor to the other."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.releasectl_fakes.supervisord import Supervisord
from tests.unit.releasectl_host import Host, new_host
from tests.unit.test_releasectl_interrupted import points

PROGRAM = """[program:site@INSTANCE]
command=/etc/slipway/site/supervise INSTANCE
"""
UNIT_FILES = ["/etc/slipway/site/env", "/etc/slipway/site/app.service"]
PROGRAM_FILES = ["/etc/slipway/site/env", "/etc/slipway/site/program.conf"]


@pytest.fixture
def host() -> Iterator[Host]:
    with new_host() as made:
        (made.config / "program.conf").write_text(PROGRAM)
        yield made


@pytest.fixture
def supervisord(host: Host) -> Iterator[Supervisord]:
    with Supervisord(host.root) as running:
        under_supervisor(host)
        yield running


def under_supervisor(host: Host, **more: Any) -> None:
    host.settings(supervisor="supervisor", instance_files=PROGRAM_FILES, **more)


def under_systemd(host: Host) -> None:
    host.settings(supervisor="systemd", instance_files=UNIT_FILES)


def in_conf_d(supervisord: Supervisord) -> list[str]:
    """Everything in there, leftovers with a dot as well."""
    return sorted(path.name for path in supervisord.folder.iterdir())


def serves_alone(host: Host, supervisord: Supervisord) -> bool:
    instance = host.status()["instance"]
    programs = [f"site@{instance}"]
    return (
        supervisord.running() == sorted(supervisord.programs) == programs
        and in_conf_d(supervisord) == [f"site@{instance}.conf"]
        and host.names("instances") == [instance]
    )


def test_a_release_is_a_program_and_the_next_one_takes_its_place(
    host: Host, supervisord: Supervisord
) -> None:
    host.release("one")
    assert host.page == "one"
    assert serves_alone(host, supervisord)
    host.release("two")
    assert host.page == "two"
    assert serves_alone(host, supervisord)
    status = host.status()
    assert status["unit"] == f"site@{status['instance']}"
    assert status["unit_state"] == "running"
    assert host.enabled() == [], "nothing of it is systemd's"


def test_a_program_is_the_template_with_the_instance_in_it(
    host: Host, supervisord: Supervisord
) -> None:
    host.release("one")
    instance = host.status()["instance"]
    program = (supervisord.folder / f"site@{instance}.conf").read_text()
    assert program == PROGRAM.replace("INSTANCE", instance)


def test_a_release_that_does_not_start_leaves_nothing_behind(
    host: Host, supervisord: Supervisord
) -> None:
    host.release("one")
    broken = host.upload("two", files={"wsgi.py": "raise SystemExit('no licence')"})
    host.run("stage", broken)
    outcome = host.fails("activate", broken)
    assert "no licence" in outcome.told
    assert "has failed" in outcome.told
    assert host.page == "one"
    assert serves_alone(host, supervisord)


def test_a_program_that_has_ended_is_started_again_by_the_next_release_command(
    host: Host, supervisord: Supervisord
) -> None:
    release = host.release("one")
    (name,) = supervisord.running()
    process = supervisord.programs[name]
    assert process
    process.kill()
    process.wait()
    host.run("activate", release)
    assert host.page == "one"
    assert serves_alone(host, supervisord)


def test_a_supervisor_that_does_not_answer_is_named(host: Host) -> None:
    under_supervisor(host)
    (host.root / "etc" / "supervisor" / "conf.d").mkdir(parents=True)
    release = host.upload("one")
    host.run("stage", release)
    told = host.fails("activate", release).told
    assert f"supervisor does not answer on {host.root}/run/supervisor.sock" in told


def test_a_release_moves_from_systemd_to_supervisor_and_back(
    host: Host, supervisord: Supervisord
) -> None:
    under_systemd(host)
    release = host.release("one")
    assert host.running()

    under_supervisor(host)
    assert host.page == "one", "it serves on where it runs"
    assert host.status()["unit"].endswith(".service")
    host.run("activate", release)
    assert host.page == "one"
    assert host.running() == host.enabled() == []
    assert serves_alone(host, supervisord)

    under_systemd(host)
    host.run("activate", release)
    assert host.page == "one"
    assert host.running() == host.enabled() == host.names("instances")
    assert supervisord.programs == {}
    assert in_conf_d(supervisord) == []


def test_a_move_to_supervisor_that_is_not_confirmed_goes_back_to_systemd(
    host: Host, supervisord: Supervisord
) -> None:
    under_systemd(host)
    release = host.release("one")
    before = host.status()["instance"]
    under_supervisor(host)
    host.run("switch", release, "--confirm-within", "60")
    assert supervisord.running()
    host.run("revert")
    assert host.page == "one"
    assert host.running() == host.enabled() == [before]
    assert in_conf_d(supervisord) == []


def test_a_switch_killed_anywhere_is_completed_by_the_next_run(
    host: Host, supervisord: Supervisord
) -> None:
    first, second = host.release("one"), host.upload("two")
    host.run("stage", second)
    for effect in points(host, "activate", second):
        assert host.get("/healthz").status_code == 200
        host.run("activate", second)
        assert host.page == "two", f"after effect {effect}"
        assert serves_alone(host, supervisord), f"after effect {effect}"
        host.run("activate", first)


def test_an_unknown_supervisor_is_refused(host: Host) -> None:
    host.settings(supervisor="runit")
    assert "supervisor: expected systemd or supervisor, found 'runit'" in host.fails("prune").told


# The import before the start


@pytest.mark.parametrize(
    ("wsgi", "said"),
    [
        ("import no_such_library\napp = 1", "No module named 'no_such_library'"),
        ("def other(): ...", "has no attribute 'app'"),
        ("import os\nraise RuntimeError(os.environ['GREETING'])", "RuntimeError: hello"),
    ],
)
def test_a_module_that_cannot_be_imported_is_not_even_started(
    host: Host, wsgi: str, said: str
) -> None:
    host.release("one")
    host.environment(GREETING="hello")
    host.settings(import_first=True)
    broken = host.upload("two", files={"wsgi.py": wsgi})
    host.run("stage", broken)
    calls = host.root / "units" / "calls.log"
    before = calls.read_text()
    told = host.fails("start", broken).told
    assert "wsgi:app cannot be imported:\n" in told
    assert said in told
    assert not [line for line in calls.read_text()[len(before) :].splitlines() if "start" in line]
    assert host.page == "one"
    assert host.states()[broken] == "bad"


def test_a_module_that_can_be_imported_is_started(host: Host) -> None:
    host.settings(import_first=True)
    host.release("one")
    assert host.page == "one"


def test_an_import_that_does_not_end_is_given_up(host: Host) -> None:
    host.settings(import_first=True, health_seconds=1)
    slow = host.upload("two", files={"wsgi.py": "import time\ntime.sleep(30)\napp = 1"})
    host.run("stage", slow)
    assert "wsgi:app was not imported after 1 s" in host.fails("start", slow).told
