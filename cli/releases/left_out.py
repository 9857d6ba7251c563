"""What is no part of a release: each file, or folder as a whole, with the reason."""

from __future__ import annotations

from cli.console import fail
from cli.paths import ROOT
from cli.project import sites
from cli.project.environments import settings_of
from components.core.errors import SlipwayError
from components.release import artifact


def show(stack: str) -> None:
    """Print it, a line each."""
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
