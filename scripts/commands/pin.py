"""Before an update: let go of a release that was gone back to, once the application has changed.

A rollback sets `slipway:release`. Left alone, it would silently keep the repaired application from
being released; taken away blindly, the next update would bring the bad release back.
"""

from __future__ import annotations

import sys

from components import artifact
from components.errors import SlipwayError
from scripts.commands.engine import ROOT, fail, outputs, pulumi, say, stack_settings


def main(stack: str) -> None:
    pinned = stack_settings(stack).get("release")
    if not pinned:
        return
    try:
        present = artifact.identify(ROOT / pulumi("config", "get", "appFolder", "--stack", stack))
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


if __name__ == "__main__":
    main(sys.argv[1])
