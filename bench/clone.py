"""A copy of the project to measure, in the temporary folder, and how it goes away again."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.site import ROOT, SETTINGS, BenchError, Site


@contextmanager
def own_site(say: Callable[[str], None], *, from_nothing: bool = False) -> Iterator[Site]:
    """A fresh copy of the project; nothing of it is left afterwards, however that comes.

    The place is always the same: what a killed run left behind is taken away by the next one.

    Args:
        say: told what is done.
        from_nothing: without this machine's virtual environment and caches. Only Go keeps its own
            (modules, compiled packages): they are not the project's to throw away.

    Raises:
        BenchError: another bench runs.
    """
    base = Path(tempfile.gettempdir(), f"slipway-bench-{os.geteuid()}")
    base.mkdir(mode=0o700, exist_ok=True)
    if base.is_symlink() or base.stat().st_uid != os.geteuid():
        raise BenchError(f"{base} is not ours")
    with (base / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchError(f"another bench runs (it holds {lock.name})") from None
        take_away(base, say)
        try:
            say("copying the project")
            yield copy_of_the_project(base, from_nothing=from_nothing)
        finally:
            # A second Ctrl-C must not leave half of it behind.
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            take_away(base, say)
            shutil.rmtree(base)
            signal.signal(signal.SIGINT, before)


def take_away(base: Path, say: Callable[[str], None]) -> None:
    """Leave nothing of a copy: no process, mount or interface, and no file."""
    clone, cache = base / "clone", base / "cache"
    if (clone / ".slipway").exists():
        say("taking everything away")
        Site(clone, environment_for(base)).down()
    for folder in (clone, cache):
        if folder.exists():
            shutil.rmtree(folder)


def copy_of_the_project(base: Path, *, from_nothing: bool) -> Site:
    """What git would clone, with the changes of the working tree."""
    clone = base / "clone"
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, clone / name)
    if from_nothing:
        (base / "cache").mkdir()
    else:
        (clone / ".venv").symlink_to(ROOT / ".venv")
    site = Site(clone, environment_for(base))
    for key, value in SETTINGS.items():
        site.edit("Pulumi.local.yaml", rf"{key}: .*", f'{key}: "{value}"')
    site.run(
        "git init -q && git add -A"
        " && git -c user.name=Bench -c user.email=bench@example.org commit -q -m 'As measured'"
    )
    return site


def environment_for(base: Path) -> dict[str, str]:
    """This process's environment without what belongs to another clone or stack."""
    foreign = ("SLIPWAY_", "PULUMI_", "DIGITALOCEAN_")
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(foreign) or key == "SLIPWAY_PLUGINS"
    }
    own = (str(ROOT / ".venv"), str(ROOT / ".slipway"))
    parts = environment["PATH"].split(os.pathsep)
    environment["PATH"] = os.pathsep.join(part for part in parts if not part.startswith(own))
    if (base / "cache").exists():
        # Go's own cache would move along.
        go_cache = subprocess.check_output(["go", "env", "GOCACHE"], text=True).strip()
        environment |= {"XDG_CACHE_HOME": str(base / "cache"), "GOCACHE": go_cache}
    return environment
