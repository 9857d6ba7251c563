"""What is no part of a release: each file, or folder as a whole, with the reason.

usage: python3 -m scripts.commands.left_out STACK
"""

from __future__ import annotations

import sys

from components.core.errors import SlipwayError
from components.release import artifact
from scripts.commands import sites
from scripts.commands.engine import ROOT, fail
from scripts.commands.environments import settings_of


def main(stack: str) -> None:
    settings = settings_of(stack)
    folders = [
        site.settings.get("appFolder", settings["appFolder"]) for site in sites.all_of(stack)
    ]
    for folder in dict.fromkeys(folders):
        if (ROOT / folder).is_file():
            continue  # a package: it was left out where that was built
        try:
            for each in artifact.left_out(ROOT / folder):
                print(f"{folder}/{each.name}\t{each.why}")  # noqa: T201
        except SlipwayError as error:
            fail(str(error))


if __name__ == "__main__":
    main(sys.argv[1])
