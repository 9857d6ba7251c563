"""The peers' own programs, in a virtual environment that no other clone and no test sees."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from uv import find_uv_bin

from bench.site import ROOT, BenchError

LOCK = ROOT / "bench" / "peers" / "requirements.lock"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "slipway", "peers")
FOLDER = _CACHE / hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
BIN = FOLDER / "bin"
SECONDS = 600


def install(say: Callable[[str], None]) -> None:
    """As the lock says, with its hashes; once for each lock."""
    if BIN.exists():
        return
    say(f"installing the peers from {LOCK.relative_to(ROOT)}")
    # Programs of an environment name its path, so it is made where it is to be: a mark says that
    # it is whole.
    aside = _CACHE / "made"
    shutil.rmtree(aside, ignore_errors=True)
    uv = [find_uv_bin(), "--quiet"]
    _run([*uv, "venv", "--python", sys.executable, "--relocatable", str(aside)])
    _run(
        [
            *(*uv, "pip", "install", "--require-hashes", "--compile-bytecode"),
            *("--python", str(aside / "bin/python"), "--requirement", str(LOCK)),
        ]
    )
    aside.rename(FOLDER)


def versions() -> dict[str, str]:
    """Of the peers, and of the ssh that Ansible and the floor use."""
    said = subprocess.check_output(
        [BIN / "python", "-c", _VERSIONS], text=True, timeout=60
    ).splitlines()
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=True).stderr
    return dict(line.split("=") for line in said) | {
        "ssh": ssh.split(",")[0].removeprefix("OpenSSH_")
    }


_VERSIONS = """\
from importlib.metadata import version
for name, package in {"ansible": "ansible-core", "pyinfra": "pyinfra", "fabric": "fabric"}.items():
    print(f"{name}={version(package)}")
"""


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0:
        raise BenchError(f"the peers cannot be installed:\n{done.stderr}")
