"""The sites of an environment, for commands with --site NAME.

Run by itself it prints the path of a site's setting `release`, and the release it is held on, if it
is.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scripts.commands.engine import ROOT, fail, stack_settings


@dataclass(frozen=True, kw_only=True)
class Site:
    """One of the sites in Pulumi.<stack>.yaml."""

    name: str
    """Of its application on the servers."""
    number: int | None
    """Its place in the setting `sites`; None for the first site."""
    settings: Mapping[str, Any]
    """What it has of its own."""

    def path(self, setting: str) -> str:
        """Of a setting of its own, as `pulumi config --path` has it."""
        return setting if self.number is None else f"sites[{self.number}].{setting}"

    def outputs(self, of_the_stack: Mapping[str, Any]) -> Mapping[str, Any]:
        """Its part of them; empty where it was never up."""
        if self.number is None:
            return of_the_stack
        return (of_the_stack.get("sites") or {}).get(self.name) or {}


def all_of(stack: str) -> list[Site]:
    """The first one first."""
    settings = stack_settings(stack)
    first = Site(name=str(settings.get("appName", "site")), number=None, settings=settings)
    further = [
        Site(name=str(each.get("appName")), number=number, settings=each)
        for number, each in enumerate(settings.get("sites") or [])
    ]
    return [first, *further]


def find(stack: str, name: str | None) -> Site:
    """The site of that name, or the first one; ends this program where there is none."""
    sites = all_of(stack)
    for site in sites:
        if name in (None, site.name):
            return site
    names = ", ".join(each.name for each in sites)
    return fail(f"{stack} has no site {name!r}: must be one of {names}")


def take(words: tuple[str, ...], stack: str) -> tuple[Site, list[str]]:
    """`--site NAME` out of the words of a command line: the site, and the other words."""
    rest = list(words)
    if "--site" not in rest:
        return find(stack, None), rest
    place = rest.index("--site")
    if place + 1 == len(rest):
        fail("--site needs the name of a site")
    name = rest[place + 1]
    del rest[place : place + 2]
    return find(stack, name), rest


def project() -> str:
    import yaml

    return str(yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["name"])


if __name__ == "__main__":
    found = find(*sys.argv[1:])
    print(found.path("release"), found.settings.get("release", ""))  # noqa: T201
