"""The sites of an environment, for commands with --site NAME."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.console import fail
from cli.project import environments


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
    file = environments.file_of(stack)
    settings = file.settings
    first = Site(name=str(settings.get("appName", "site")), number=None, settings=settings)
    further = [
        Site(name=str(each.get("appName")), number=number, settings=each)
        for number, each in enumerate(file.sites)
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
