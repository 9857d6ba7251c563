"""`slipway-releasectl`: the same as releasectl, compiled once."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from components.servers.remote import RUN_RELEASECTL

PROGRAM = """\
#!/usr/bin/python3 -I
import sys

def main():
    print("{text}", *sys.argv[1:])
    return 3

if __name__ == "__main__":
    sys.exit(main())
"""


class Launcher:
    """It, with its program and what that is compiled to in folders of a test."""

    def __init__(self, folder: Path) -> None:
        self.program, self.compiled = folder / "releasectl", folder / "compiled"
        self._launcher = folder / RUN_RELEASECTL.name
        text = RUN_RELEASECTL.read_text().replace("/usr/local/bin/releasectl", str(self.program))
        self._launcher.write_text(text.replace("/var/cache/slipway", str(self.compiled)))

    def write(self, text: str) -> None:
        self.program.write_text(PROGRAM.format(text=text))

    def run(self, *words: str) -> tuple[int, str]:
        done = subprocess.run(
            ["sh", self._launcher, *words], capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        return done.returncode, done.stdout.strip()

    def files(self) -> list[Path]:
        return [path for path in self.compiled.rglob("*") if path.is_file()]


def test_it_passes_on_arguments_output_and_status(tmp_path: Path) -> None:
    launcher = Launcher(tmp_path)
    launcher.write("one")
    for _ in range(2):
        assert launcher.run("--app", "a b", "list") == (3, "one --app a b list")


def test_it_is_compiled_once_and_anew_when_it_has_changed(tmp_path: Path) -> None:
    launcher = Launcher(tmp_path)
    launcher.write("one")
    launcher.run()
    (compiled,) = launcher.files()
    before = compiled.stat().st_mtime_ns
    launcher.run()
    assert (launcher.files(), compiled.stat().st_mtime_ns) == ([compiled], before)
    launcher.write("another")
    assert launcher.run() == (3, "another")


def test_it_runs_also_where_nothing_can_be_kept(tmp_path: Path) -> None:
    launcher = Launcher(tmp_path)
    launcher.write("one")
    launcher.compiled.write_text("a file is in the way of the folder")
    assert launcher.run() == (3, "one")


def test_it_runs_also_what_somebody_has_put_around_it(tmp_path: Path) -> None:
    launcher = Launcher(tmp_path)
    launcher.program.write_text('#!/bin/sh\necho around, "$@"\n')
    launcher.program.chmod(0o755)
    assert launcher.run("list") == (0, "around, list")


def test_it_is_a_program() -> None:
    assert os.access(RUN_RELEASECTL, os.X_OK)
