"""Virtual environments, created with uv."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

from .console import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess


def refuse_other_files(requirements: str) -> None:
    """Refuse requirements that refer to other files: the venv is named after this one alone."""
    for number, line in enumerate(requirements.splitlines(), 1):
        if re.match(r"\s*(-r|-c|-e|--requirement|--constraint|--editable)\b|\s*(\.|/|file:)", line):
            raise ReleaseError(
                f"requirements.txt, line {number}: {line.strip()!r} refers to another file;"
                " it must list all packages itself (`uv pip compile` makes such a file)"
            )


def grow_venv(base: Path, venv: Path, requirements: Path) -> bool:
    """Create a venv from another one, with hard links to the packages that stay.

    Return whether that succeeded. If not, the caller creates it from scratch, and errors show then.
    """
    import compileall
    import subprocess

    if subprocess.run(["cp", "--archive", "--link", base, venv], check=False).returncode != 0:
        return False
    python = venv / "bin" / "python"
    try:
        run_uv("pip", "sync", "--require-hashes", "--python", python, requirements)
    except ReleaseError:
        return False
    # If a package's list of files is missing, uv leaves the old version beside the new one.
    names = [path.name.split("-")[0] for path in venv.glob("lib/*/site-packages/*.dist-info")]
    if len(names) != len(set(names)):
        return False
    compileall.compile_dir(venv / "lib", quiet=2)
    return True


def end_group(leader: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """End all processes of its group: SIGTERM first, so that they can roll back, then SIGKILL."""
    deadline = time.monotonic() + grace_seconds
    try:
        os.killpg(leader.pid, signal.SIGTERM)
        while time.monotonic() < deadline:
            leader.poll()
            os.killpg(leader.pid, 0)
            time.sleep(0.05)
        os.killpg(leader.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # none is left
    finally:
        leader.wait()


def run_uv(*arguments: str | Path) -> None:
    import shutil
    import subprocess

    own = "/opt/slipway/bin/uv"
    uv = own if os.access(own, os.X_OK) else shutil.which("uv")
    if uv is None:
        raise ReleaseError(f"uv is missing: neither {own} nor on PATH")
    settings = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "1", "UV_NO_PROGRESS": "1"}
    done = subprocess.run(
        [uv, *arguments],
        env={**settings, **os.environ},
        cwd="/",  # so that uv does not find a project in the current folder
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = "".join(f"\n    {line}" for line in done.stdout.strip().splitlines()[-15:])
        raise ReleaseError(f"the packages cannot be installed; uv says:{last}")
