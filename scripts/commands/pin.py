"""Before an update: let go of a release that was gone back to, once the application has changed.

A rollback sets `slipway:release`. Left alone, it would silently keep the repaired application from
being released; taken away blindly, the next update would bring the bad release back.
"""

from __future__ import annotations

import os
import sys

from components.errors import SlipwayError
from components.source import Source
from scripts.commands.engine import ROOT, fail, outputs, pulumi, say, stack_settings


def main(stack: str) -> None:
    pinned = stack_settings(stack).get("release")
    if not pinned:
        return
    try:
        present = Source.of(
            ROOT / _setting(stack, "appFolder"),
            kind=_setting(stack, "appSource"),
            build_command=_setting(stack, "buildCommand"),
            packages=ROOT / os.environ.get("SLIPWAY_HOME", ".slipway") / "packages",
        ).identify()
    except SlipwayError as error:
        fail(str(error))
    released = [release["id"] for release in outputs(stack).get("releases", [])]
    if present == pinned or present not in released:
        pulumi("config", "rm", "release", "--stack", stack)
        say(f"the application is release {present}: no longer held on {pinned}")
    else:
        say(
            f"{stack} stays on release {pinned} (slipway:release), which it was rolled back to;"
            f" the application is still {present}"
        )


def _setting(stack: str, name: str) -> str:
    return pulumi("config", "get", name, "--stack", stack)


if __name__ == "__main__":
    main(sys.argv[1])
