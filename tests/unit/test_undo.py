"""What undoes something on a server runs on the machine on which it was done."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from components.core import undo


@pytest.mark.parametrize("machine", ["1001", "203.0.113.10 SHA256:a/b+c=", "it's"])
def test_the_machine_can_be_told_from_the_command(machine: str) -> None:
    assert undo.machine_of(undo.command("slipway-remove /etc/a", machine)) == machine


@pytest.mark.parametrize(
    "line", ["", "true", "sudo sh -c 'slipway-remove --all'", "# it's a script\ntrue\n"]
)
def test_other_commands_name_none(line: str) -> None:
    assert undo.machine_of(line) is None


@pytest.mark.parametrize(("there", "done"), [("1001", True), ("1002", False), (None, False)])
def test_on_another_machine_nothing_is_undone(
    tmp_path: Path, there: str | None, done: bool
) -> None:
    if there is not None:
        (tmp_path / "machine").write_text(f"{there}\n")
    script = shlex.split(undo.command(f"touch {tmp_path}/undone", "1001"))[-1]
    script = script.replace(undo.MACHINE, str(tmp_path / "machine"))
    assert subprocess.run(["sh", "-c", script], check=False).returncode == 0
    assert (tmp_path / "undone").exists() == done
