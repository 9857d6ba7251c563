"""An environment is made ready: its cloud, its stack, its salt, its program started ahead."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.unit.script_project import ROOT, Project, new_project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = new_project(tmp_path)
    made.is_set_up()
    (made.folder.parent / "home/slipway").mkdir(parents=True)
    return made


def said(project: Project, statements: str) -> str:
    done = project.call(statements)
    assert done.returncode == 0, done.stderr
    return done.stdout


OTHERS = "from cli import stack\nprint(*stack.others_in_the_local_cloud({!r}))"


def test_only_other_stacks_in_the_local_cloud_keep_it_up(project: Project) -> None:
    """A stack at DigitalOcean is no reason to leave the local cloud running."""
    for stack in ("twin", "far", "gone", "local"):
        state = project.folder.parent / "home/slipway/.pulumi/stacks/slipway" / f"{stack}.json"
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_text("{}")
    project.settings("config:\n  digitalocean:apiEndpoint: 'http://127.0.0.1:7300'\n", "twin")
    project.settings("config:\n  slipway:region: fra1\n", "far")
    assert said(project, OTHERS.format("local")) == "twin\n"
    assert said(project, OTHERS.format("twin")) == "local\n"


def test_where_nothing_was_ever_made_there_are_no_other_stacks(project: Project) -> None:
    assert said(project, OTHERS.format("local")) == "\n"


def test_without_a_token_digitalocean_is_not_asked(project: Project) -> None:
    done = project.python("preview", "dev")
    assert (done.returncode, project.called) == (1, "")
    assert "no DigitalOcean token for 'dev': set DIGITALOCEAN_TOKEN" in done.stderr


def test_a_command_starts_afresh_with_what_was_set_up_for_it(tmp_path: Path) -> None:
    (tmp_path / "fresh").mkdir()
    project = new_project(tmp_path / "fresh")
    setup = project.folder / "scripts/setup"
    setup.write_text(
        f'#!/bin/sh\n[ -e .venv ] && exit\necho set up >>"$FAKE/called"\nln -s {ROOT}/.venv .venv\n'
    )
    done = project.run("scripts/diff", "dev", "staging", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["namePrefix"] == {"dev": "dev-", "staging": "staging-"}
    assert project.called.count("set up") == 1


def test_where_it_cannot_be_set_up_nothing_else_is_said(project: Project) -> None:
    (project.folder / "scripts/setup").write_text("#!/bin/sh\necho no Python >&2; exit 1\n")
    done = project.run("scripts/status", "local")
    assert (done.returncode, done.stderr) == (3, "no Python\n")


def test_a_project_of_ones_own_takes_the_settings_along(project: Project) -> None:
    file = project.folder / "Pulumi.yaml"
    file.write_text(file.read_text().replace("name: slipway", "name: 'myshop'  # mine"))
    project.settings("config:\n  'slipway:webCount': 2  # two\n  webPort: 81\n")
    adopt = "from cli.project.namespace import adopt\nadopt()"
    done = project.call(adopt)
    assert "project myshop: the settings of its environments go by that name now" in done.stderr
    kept = "config:\n  'myshop:webCount': 2  # two\n  webPort: 81\n"
    assert (project.folder / "Pulumi.local.yaml").read_text() == kept
    assert project.call(adopt).stderr == ""


def test_a_salt_from_another_clone_is_forgotten_for_local_only(project: Project) -> None:
    for stack in ("local", "dev"):
        project.settings("config: {}\nencryptionsalt: v1:abc\n", stack)
        said(project, f"from cli.project import salt\nsalt.forget_foreign({stack!r})")
    assert "salt" not in (project.folder / "Pulumi.local.yaml").read_text()
    assert "salt" in (project.folder / "Pulumi.dev.yaml").read_text()


def test_the_salt_of_this_clone_outlives_the_state(project: Project) -> None:
    project.settings("config: {}\nencryptionsalt: v1:ab+/c=:v1:def==\n", "local")
    forget = "salt.forget_foreign('local')"
    remember = "salt.remember('local')"
    said(project, f"from cli.project import salt\n{remember}\n{remember}\n{forget}")
    settings = project.folder / "Pulumi.local.yaml"
    assert "encryptionsalt: v1:ab+/c=:v1:def==" in settings.read_text()
    known = Path(project.environment["SLIPWAY_HOME"], "salts")
    assert known.read_text().split() == ["v1:ab+/c=:v1:def=="]
    # One that only begins with the same is another one.
    project.settings("config: {}\nencryptionsalt: v1:ab+/c=\n", "local")
    said(project, f"from cli.project import salt\n{forget}")
    assert "salt" not in settings.read_text()


# The program of an update, started ahead

START = "import os\nfrom cli.engine.prestart import Prestart\nprogram = Prestart([])\n"


def gone(path: Path) -> bool:
    deadline = time.monotonic() + 10
    while path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not path.exists()


def test_the_program_waits_where_nobody_else_reaches_it_and_leaves_nothing(
    project: Project,
) -> None:
    printed = said(
        project,
        f"{START}(option,) = program.options()\n"
        "socket = option.removeprefix('--client=unix://')\n"
        "print(oct(os.stat(os.path.dirname(socket)).st_mode)[-3:], os.path.exists(socket))\n"
        "program.end()\n"
        "print(os.path.exists(os.path.dirname(socket)), program._process.poll())",
    )
    assert printed.split() == ["700", "True", "False", "0"]


def test_it_ends_also_where_its_command_was_killed(project: Project) -> None:
    done = project.call(
        f"{START}program.options()\nprint(program._folder, flush=True)\nos.kill(os.getpid(), 9)"
    )
    folder = Path(done.stdout.strip())
    assert folder.is_absolute()
    assert gone(folder)


def test_nothing_is_said_where_its_command_does_not_go_on(project: Project) -> None:
    done = project.call(
        f"{START}print(program._process.pid)\n"
        "from cli.console import fail\nfail('the port is taken')"
    )
    assert gone(Path("/proc", done.stdout.strip()))
    assert done.stderr == "slipway: the port is taken\n"


def test_one_that_does_not_start_leaves_it_to_the_engine(project: Project) -> None:
    (project.folder / "cli/engine/program.py").write_text("raise SystemExit(3)\n")
    assert said(project, f"{START}print(program.options())\nprogram.end()") == "[]\n"


def test_an_update_whose_command_is_ended_keeps_its_program(project: Project) -> None:
    """The engine goes on to the end of the update, and asks the program for more."""
    done = project.call(
        "import sys\n"
        "from cli.engine import update\n"
        "class Program:\n"
        "    def options(self): return []\n"
        "    def environment(self): return {}\n"
        "    def end(self): print('ended')\n"
        "def ended(*_words, **_options): sys.exit(143)\n"
        "update.run = ended\n"
        "update.Updater('local', Program()).update()"
    )
    assert (done.returncode, done.stdout) == (143, "")
