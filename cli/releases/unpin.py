"""Before an update: let go of a release that was gone back to, once the application has changed.

A rollback sets `slipway:release`. Left alone, it would silently keep the repaired application from
being released; taken away blindly, the next update would bring the bad release back.
"""

from __future__ import annotations

from cli.console import fail, say
from cli.engine.process import pulumi
from cli.engine.state import outputs
from cli.paths import ROOT, home
from cli.project import environments, sites
from cli.project.sites import Site
from components.core.errors import SlipwayError
from components.release.source import Source


def unpin_changed(stack: str) -> None:
    """Let go of each site that is held, and whose application is another one by now."""
    for site in sites.all_of(stack):
        if pinned := site.settings.get("release"):
            _look_at(stack, site, str(pinned))


def _look_at(stack: str, site: Site, pinned: str) -> None:
    try:
        present = Source.of(
            ROOT / _setting(stack, site, "appFolder"),
            kind=_setting(stack, site, "appSource"),
            build_command=_setting(stack, site, "buildCommand"),
            packages=home() / "packages",
        ).identify()
    except SlipwayError as error:
        fail(str(error))
    known = site.outputs(outputs(stack))
    released = [release["id"] for release in known.get("releases", [])]
    what = "the application" if site.number is None else f"the application of {site.name}"
    if present == pinned or present not in released:
        path = [] if site.number is None else ["--path"]
        pulumi("config", "rm", *path, site.path("release"), "--stack", stack)
        say(f"{what} is release {present}: no longer held on {pinned}")
    else:
        say(
            f"{stack} stays on release {pinned} (slipway:{site.path('release')}), which it was"
            f" rolled back to; {what} is still {present}"
        )


def _setting(stack: str, site: Site, name: str) -> str:
    """As components/settings/site.py has it: a further site takes all over but what is built."""
    if site.number is not None and (name in site.settings or name == "buildCommand"):
        return str(site.settings.get(name, ""))
    return str(environments.settings_of(stack)[name])
