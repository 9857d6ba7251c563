"""What a person types, as far as it goes without an engine: help, words, wrong words."""

from __future__ import annotations

import os
import subprocess
from importlib import import_module
from pathlib import Path

import pytest

from cli.arguments import parsed
from tests.unit.script_project import ROOT, Project, new_project

SCRIPTS_AT = ROOT / "scripts"
SCRIPTS = sorted(
    path.name for path in SCRIPTS_AT.iterdir() if path.is_file() and os.access(path, os.X_OK)
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("word", ["--help", "-h"])
def test_every_script_explains_itself_with_an_example(
    project: Project, name: str, word: str
) -> None:
    done = project.run(f"scripts/{name}", word)
    assert done.returncode == 0, done.stderr
    assert f"usage: scripts/{name}" in done.stdout
    assert f"scripts/{name}" in done.stdout.partition("example")[2]
    assert "set -euo" not in done.stdout
    assert not (project.folder / ".venv").exists(), "asking for help sets nothing up"


WITH_A_STACK = [
    name.replace("_", "-")
    for name in sorted(path.stem for path in (ROOT / "cli/commands").glob("[a-z]*.py"))
    if import_module(f"cli.commands.{name}").COMMAND.takes_stack
]


@pytest.mark.parametrize("name", WITH_A_STACK)
def test_an_unknown_environment_is_named_with_those_there_are(project: Project, name: str) -> None:
    project.settings("config: {}\n", stack="twin")
    done = project.run(f"scripts/{name}", "lokal")
    # To monitors, 1 of scripts/status means that it looked, and found something.
    assert (done.returncode, done.stdout) == (3 if name == "status" else 1, "")
    assert done.stderr == (
        "slipway: there is no environment 'lokal': must be one of dev local production staging twin"
        " (Pulumi.<name>.yaml)\n"
    )


def test_every_other_script_is_known_to_take_no_stack() -> None:
    assert set(SCRIPTS) - set(WITH_A_STACK) == {
        "diff",
        "new-environment",
        "setup",
        "test",
        "upgrade",
    }


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (
            "setup --deb",
            "scripts/setup: unknown argument '--deb' (allowed: --dev, --without-engine, --help)",
        ),
        ("down local --yse", "unknown argument '--yse' (allowed: --yes, --destroy, --help)"),
        ("down --yse", "unknown argument '--yse' (allowed: --yes, --destroy, --help)"),
        ("rollback local aaaaaaaaaaaa more", "unknown argument 'more' (see --help)"),
        (
            "rollback local --froce",
            "unknown argument '--froce' (allowed: --site NAME, --force, --wait, --help)",
        ),
        ("logs local --folow", "unknown argument '--folow' (allowed: --follow, --lines N, --help)"),
        ("up local --only cache", "--only is 'cache': must be web or db"),
        (
            "up local --destroy web",
            "--destroy is 'web': must be db, a web server that leaves,"
            " or an id that scripts/status shows",
        ),
        (
            "up local --destroy",
            "--destroy needs a word: must be db, a web server that leaves,"
            " or an id that scripts/status shows",
        ),
        ("up local --wait --only", "--only is '': must be web or db"),
        ("logs local web --lines many", "--lines is 'many': must be a number"),
        ("logs local web --lines", "--lines is '': must be a number"),
    ],
)
def test_an_unknown_argument_is_named_before_anything_is_done(
    project: Project, command: str, complaint: str
) -> None:
    name, *words = command.split()
    done = project.run(f"scripts/{name}", *words)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"slipway: {complaint}\n")
    assert not (project.folder / ".venv").exists()


def test_activate_says_that_it_is_to_be_sourced(project: Project) -> None:
    done = project.run("bash", "scripts/activate")
    assert done.returncode == 1
    assert done.stderr == "scripts/activate is to be sourced: source scripts/activate\n"


@pytest.mark.parametrize(
    ("words", "stack", "rest"),
    [
        ("", "local", ""),
        ("local", "local", ""),
        ("dev web", "dev", "web"),
        ("--diff", "local", "--diff"),
        ("dev --diff --refresh", "dev", "--diff --refresh"),
    ],
)
def test_the_environment_is_the_first_word_and_local_where_there_is_none(
    project: Project, words: str, stack: str, rest: str
) -> None:
    options = parsed(import_module("cli.commands.up").COMMAND, "up", words.split())
    assert options is not None
    assert (options.stack, options.rest) == (stack, rest.split())


COMMANDS = sorted(set(SCRIPTS) - {"setup", "test"})


def to_nobody(project: Project, *command: str) -> tuple[int, str]:
    """Status and errors of a command whose output nobody reads any more, as after `| head`."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as output:
        done = subprocess.run(
            command,
            cwd=project.folder,
            env=project.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
        )
    return done.returncode, done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_whose_reader_has_had_enough_ends_quietly(project: Project, name: str) -> None:
    assert to_nobody(project, f"scripts/{name}", "--help") == (141, "")


def test_so_does_one_that_prints_what_it_has_found(project: Project) -> None:
    project.is_set_up()
    found = {"id": "a" * 12, "released_at": "2026-11-20T16:00:00Z", "message": "x" * 100_000}
    project.answers({"release": found, "releases": [found]})
    for words in (("--json",), ()):
        command = ("python3", "-m", "cli", "releases", "local", "--offline", *words)
        status, said = to_nobody(project, *command)
        assert status != 0
        assert said == ""


def test_an_update_does_not_wait_for_the_sdk_to_be_imported(project: Project) -> None:
    """It takes 0.2 s, and only the program needs it, which is a process of its own."""
    modules = "stack, engine.update, provider.strays, servers.visit, servers.leaving"
    modules += ", servers.database_marks, releases.rollback_target, project.sites"
    imports = "".join(f"import cli.{each}\n" for each in modules.split(", "))
    done = project.call(f"{imports}import sys\nprint('pulumi' in sys.modules)")
    assert (done.stdout, done.stderr) == ("False\n", "")
