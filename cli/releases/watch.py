"""Release each save of the application's folder, with the servers' logs beside."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from watchfiles import watch

from cli.console import say
from cli.engine.state import outputs
from cli.paths import ROOT
from cli.project.environments import settings_of
from components.core.errors import SlipwayError
from components.release import artifact

#: Editors write several files for one save, some of them twice.
MILLISECONDS_OF_QUIET = 50


def watch_and_release(stack: str) -> None:
    """Until Ctrl-C."""
    folder = ROOT / settings_of(stack)["appFolder"]
    seen = artifact.identify(folder)
    logs = subprocess.Popen(
        [sys.executable, "-m", "cli", "logs", stack, "web", "--follow", "--lines", "0"],
        cwd=ROOT,
    )
    say(f"watching {folder.relative_to(ROOT)}/: each save is released (end with Ctrl-C)")
    try:
        follow(folder, seen, lambda: release(stack))
    except KeyboardInterrupt:
        pass
    finally:
        logs.terminate()
        logs.wait()


def follow(folder: Path, seen: str, release: Callable[[], None]) -> None:
    """Release the folder whenever its content is another one than `seen`, until Ctrl-C."""
    looked = False
    for changes in watch(
        folder,
        step=MILLISECONDS_OF_QUIET,
        raise_interrupt=True,
        rust_timeout=500,
        yield_on_timeout=True,
    ):
        # The first quiet moment is for what was saved before the watch began.
        if not changes and looked:
            continue
        looked = looked or not changes
        try:
            found = artifact.identify(folder)
        except SlipwayError as error:
            say(str(error))
            continue
        if found != seen:  # else a file that is no part of a release, or the old content again
            seen = found
            release()


def release(stack: str) -> None:
    """One update, by the very path that every environment takes."""
    started = time.monotonic()
    done = subprocess.run(
        ["scripts/up", stack],
        cwd=ROOT,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        print(done.stdout + done.stderr, file=sys.stderr)  # noqa: T201
        say("the release failed; the one before serves")
    else:
        current = outputs(stack)["release"]["id"]
        say(f"release {current} serves after {time.monotonic() - started:.1f} s")
