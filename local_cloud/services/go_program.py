"""A program built from the Go modules pinned in tools/: once for a user, then it is there."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from pathlib import Path

from local_cloud.hosts.commands import run
from local_cloud.machine import MachineError, Progress

TOOLS = Path(__file__).resolve().parents[2] / "tools"


def built(module: str, program: str, cache: Path, report: Progress) -> Path:
    """The program of `tools/<module>`, in the user's cache.

    Raises `MachineError` when there is no Go to build it with, or the build fails.
    """
    pins = hashlib.sha256((TOOLS / module / "go.mod").read_bytes()).hexdigest()[:12]
    folder = cache / "tools"
    target = folder / f"{module}-{pins}" / program
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{module}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            _build(module, target, report)
    return target


def _build(module: str, target: Path, report: Progress) -> None:
    if shutil.which("go") is None:
        raise MachineError(
            f"there is no Go to build {target.name} with (tools/{module}): install Go (>= 1.26)"
        )
    report(f"{target.name}: building it from the Go modules of tools/{module} (once for this user)")
    aside = target.parent.with_name(f".{target.parent.name}")
    shutil.rmtree(aside, ignore_errors=True)
    run(
        ["go", "-C", TOOLS / module, "install", "-trimpath", "-ldflags", "-s -w", "tool"],
        environment={**os.environ, "GOBIN": str(aside), "GOFLAGS": "-mod=readonly"},
    )
    shutil.rmtree(target.parent, ignore_errors=True)
    aside.rename(target.parent)
