"""What importing the components does to the process that imports them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# As the language host starts a program: its own arguments are gone before the program runs.
PROGRAM = """\
import gc, sys
sys.argv = ["."]
sys.path.insert(0, {root!r})
import components
print(gc.isenabled())
"""


@pytest.mark.parametrize(
    ("started_by", "collects"),
    [("pulumi-language-python-exec", False), ("a-script-or-test", True)],
)
def test_garbage_is_left_alone_in_a_run_of_the_engine_only(
    tmp_path: Path, started_by: str, collects: bool
) -> None:
    script = tmp_path / started_by
    script.write_text(PROGRAM.format(root=str(ROOT)))
    command = [sys.executable, str(script), "--project", "slipway"]
    said = subprocess.check_output(command, text=True)
    assert said == f"{collects}\n"
