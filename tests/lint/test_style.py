"""ruff, mypy --strict, shellcheck and yamllint find nothing."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.clone import ROOT

SHELL = re.compile(r"\A#!.*sh\n|^# shellcheck shell=", re.MULTILINE)
RELAXED = "{extends: relaxed, rules: {line-length: disable}}"


def files(*patterns: str) -> list[str]:
    """Those that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return [name for name in listed if name and (ROOT / name).is_file()]


def shell_scripts() -> list[str]:
    found = files(".ci", "bench", "host", "scripts")
    return [name for name in found if SHELL.search((ROOT / name).read_text(errors="replace"))]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "format", "--diff", "--quiet", "."], id="ruff format"),
        pytest.param(["ruff", "check", "--quiet", "."], id="ruff check"),
        pytest.param(["mypy", "."], id="mypy"),
        pytest.param(["shellcheck", *shell_scripts()], id="shellcheck"),
        pytest.param(
            ["yamllint", "--strict", "-d", RELAXED, *files("Pulumi*.yaml")], id="yamllint"
        ),
    ],
)
def test_it_has_nothing_to_say(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command[0]}:\n{done.stdout}{done.stderr}"


def test_there_are_shell_scripts_to_check() -> None:
    assert {"scripts/up", "scripts/lib/engine.sh", ".ci/run"} <= set(shell_scripts())
