"""One update of an environment at a time: whose turn it is, and what the dead left."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.arguments import parsed
from cli.commands import up
from cli.engine import update_lock
from cli.engine.update_lock import UpdateLock
from tests.unit.script_project import Project, new_project

HERE = socket.gethostname()
BEGAN = "2026-11-20T17:00:03.123456789+01:00"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the engine has its locks of the stack `local`."""
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    folder = tmp_path / ".pulumi/locks/organization/slipway/local"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is called as the engine is."""
    program = tmp_path / "pulumi"
    shutil.copy("/bin/sleep", program)
    running = subprocess.Popen([program, "60"])
    yield running
    running.kill()
    running.wait()


def lock(folder: Path, process: int, machine: str = HERE, since: str = BEGAN) -> Path:
    content = {"pid": process, "username": "ada", "hostname": machine, "timestamp": since}
    path = folder / f"{process}.json"
    path.write_text(json.dumps(content))
    return path


def dead_process() -> int:
    ended = subprocess.Popen(["true"])
    ended.wait()
    return ended.pid


def test_a_lock_says_who_where_and_since_when(folder: Path) -> None:
    found = UpdateLock.read(lock(folder, 4711, "laptop"))
    assert found is not None
    later = datetime(2026, 11, 20, 16, 0, 15, tzinfo=UTC)
    assert found.describe(later) == (
        "ada on laptop (process 4711) since 2026-11-20 16:00:03 UTC (12 s)"
    )
    assert found.describe(later + timedelta(hours=1)).endswith("(60 min)")


@pytest.mark.parametrize("content", ["", '{"pid": 1', "[]", '{"pid": "x"}', "{}"])
def test_a_lock_that_is_not_wholly_written_is_none_yet(folder: Path, content: str) -> None:
    (folder / "1.json").write_text(content)
    assert update_lock.held("local") == []


def test_a_living_engine_holds_its_lock(folder: Path, engine: subprocess.Popen[bytes]) -> None:
    path = lock(folder, engine.pid)
    (found,) = update_lock.take_over("local")
    assert found.process == engine.pid
    assert path.exists()


def test_the_lock_of_a_dead_process_is_taken_over(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lock(folder, dead_process())
    assert update_lock.take_over("local") == []
    assert not path.exists()
    assert "was cut short; going on" in capsys.readouterr().err


def test_what_a_dead_engine_had_not_finished_writing_goes_with_its_lock(folder: Path) -> None:
    """It writes the state aside and renames it into place (gocloud's fileblob)."""
    stacks = folder.parents[3] / "stacks" / "slipway"
    stacks.mkdir(parents=True)
    whole = ["local.json", "local.json.bak.attrs", "dev.json.18e9d88266d33219.tmp"]
    for name in whole:
        (stacks / name).write_text("{}")
    for name in ("local.json.18e9d88266d33219.tmp", "local.json.attrs"):
        (stacks / name).touch()
    lock(folder, dead_process())
    update_lock.take_over("local")
    assert sorted(path.name for path in stacks.iterdir()) == sorted(whole)


def test_another_program_that_got_the_dead_ones_number_holds_nothing(folder: Path) -> None:
    path = lock(folder, os.getpid())
    assert update_lock.take_over("local") == []
    assert not path.exists()


def test_an_engine_that_nobody_has_buried_is_dead(
    folder: Path, engine: subprocess.Popen[bytes]
) -> None:
    engine.kill()
    os.waitid(os.P_PID, engine.pid, os.WEXITED | os.WNOWAIT)
    lock(folder, engine.pid)
    assert update_lock.take_over("local") == []


def test_of_another_machine_nothing_is_taken_over(folder: Path) -> None:
    path = lock(folder, dead_process(), "laptop")
    assert [each.machine for each in update_lock.take_over("local")] == ["laptop"]
    assert path.exists()


def test_another_environment_is_nobodys_business(folder: Path) -> None:
    lock(folder, 1, "laptop")
    assert update_lock.held("dev") == []


def test_a_backend_elsewhere_is_not_looked_into(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock(folder, 1, "laptop")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://a-bucket")
    assert update_lock.held("local") == []


def test_who_waits_goes_on_when_the_other_has_ended(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = lock(folder, 1, "laptop")
    looks: list[float] = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 3:
            path.unlink()

    assert update_lock.await_turn("local", wait=True, pause=pause) is None
    assert len(looks) == 3
    assert capsys.readouterr().err.count("waiting for the update of ada on laptop") == 1


# From the scripts


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


def locks_of(project: Project) -> Path:
    home = Path(project.environment["SLIPWAY_HOME"])
    folder = home / ".pulumi/locks/organization/slipway/local"
    folder.mkdir(parents=True)
    return folder


def update(project: Project, *, wait: bool = False) -> subprocess.CompletedProcess[str]:
    backend = f"file://{project.environment['SLIPWAY_HOME']}"
    return project.call(
        "from cli.engine.update import Updater\n"
        f"return 0 if Updater('local', wait={wait}).update('--diff') else 1",
        PULUMI_BACKEND_URL=backend,
    )


ENGINE = '#!/bin/sh\necho "$*" >>"$FAKE/called"\n'


def test_an_update_while_another_one_runs_is_refused_by_name(project: Project) -> None:
    lock(locks_of(project), 4711, "laptop")
    done = update(project)
    assert done.returncode == 1
    assert "local is being updated by ada on laptop (process 4711) since 2026-11-20" in done.stderr
    assert "or say --wait; if that one is dead: pulumi cancel --stack local" in done.stderr
    assert project.called == ""


def test_an_update_goes_on_where_a_dead_one_left_its_lock(project: Project) -> None:
    (project.fake / "pulumi").write_text(ENGINE)
    path = lock(locks_of(project), dead_process())
    done = update(project)
    assert done.returncode == 0, done.stderr
    assert "was cut short; going on" in done.stderr
    assert not path.exists()
    options, _, more = project.called.partition(" --event-log ")
    assert options == "up --stack local --yes --skip-preview --suppress-outputs"
    assert more.endswith("/events-local --diff\n")


def test_who_waits_and_finds_another_one_quicker_waits_again(project: Project) -> None:
    """The first `pulumi up` meets a lock that came since; the second goes well."""
    folder = locks_of(project)
    other = lock(folder, 4711, "laptop")
    held = project.fake / "held"
    other.rename(held)
    (project.fake / "pulumi").write_text(
        f"{ENGINE}[ -e {held} ] || exit 0\nmv {held} {other}\n(sleep 1; rm {other}) &\nexit 255\n"
    )
    done = update(project, wait=True)
    assert done.returncode == 0, done.stderr
    assert "waiting for the update of ada on laptop" in done.stderr
    assert project.called.count("up --stack local") == 2


@pytest.mark.parametrize("wait", [False, True])
def test_an_update_that_fails_by_itself_is_not_tried_again(project: Project, wait: bool) -> None:
    (project.fake / "pulumi").write_text(f"{ENGINE}exit 255\n")
    assert update(project, wait=wait).returncode != 0
    assert project.called.count("up --stack local") == 1


@pytest.mark.parametrize(
    ("words", "wait", "rest"),
    [("", False, ""), ("--wait", True, ""), ("local -r --wait --diff", True, "-r --diff")],
)
def test_wait_is_taken_from_wherever_it_stands(words: str, wait: bool, rest: str) -> None:
    options = parsed(up.COMMAND, "up", words.split())
    assert options is not None
    assert (options.wait, options.rest) == (wait, rest.split())
