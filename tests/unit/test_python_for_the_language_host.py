"""The quick answer to what the language host asks pip in every run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "scripts" / "lib" / "python-for-the-language-host"


def run(*words: str) -> str:
    return subprocess.run([SCRIPT, *words], capture_output=True, text=True, check=True).stdout


def test_it_names_the_packages_that_pip_does() -> None:
    question = ("-m", "pip", "list", "-v", "--format", "json")

    def known(text: str) -> set[tuple[Any, ...]]:
        return {
            (each["name"].lower().replace("-", "_"), each["version"], each["location"])
            for each in json.loads(text)
        }

    theirs = subprocess.run(
        [ROOT / ".venv/bin/python", *question], capture_output=True, text=True, check=True
    ).stdout
    assert "pulumi_command" in {each[0] for each in known(theirs)}
    assert {each[:2] for each in known(run(*question))} == {each[:2] for each in known(theirs)}
    places = {Path(each[2]).resolve() for each in known(run(*question))}
    assert places == {Path(each[2]).resolve() for each in known(theirs)}


def test_everything_else_is_for_python() -> None:
    assert run("-c", "import sys; print(sys.version)") == f"{sys.version}\n"
