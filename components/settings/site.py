"""The sites of an environment: that of its own settings, and those of the setting `sites`; pure.

The first one answers to every name that no other has. Each further one is made of the settings of
the first, with what it says differently.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.core.errors import SlipwayError
from components.settings.declaration import OfSite, declared_in
from components.settings.load import parse
from components.settings.settings import Settings

SERVER_NAMES = "serverNames"
#: Settings of one application only: a further site does not inherit them from the first.
NOT_TAKEN_OVER: dict[str, Any] = {
    each.key: each.default for each in declared_in(Settings) if each.said.of_site is OfSite.OWN
}
#: Settings that a site may have; all others are for the whole environment.
OF_A_SITE = frozenset(
    each.key for each in declared_in(Settings) if each.said.of_site is not OfSite.NO
)
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_SERVER_NAME = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*")


@dataclass(frozen=True, kw_only=True)
class Site:
    settings: Settings
    """The environment's settings, overridden by those of this site."""
    key: str
    """Prefix of its settings' names in messages."""
    server_names: tuple[str, ...] = ()
    """Empty for the first site."""

    @property
    def name(self) -> str:
        return self.settings.app_name

    @property
    def is_first(self) -> bool:
        return not self.server_names

    def within(self, stack: str) -> str:
        """The name under which this site's own things are kept: `local/shop`."""
        return stack if self.is_first else f"{stack}/{self.name}"

    def outputs(self, earlier: Mapping[str, Any]) -> Mapping[str, Any]:
        """Its part of the outputs of the last successful update."""
        if self.is_first:
            return earlier
        found = (earlier.get("sites") or {}).get(self.name)
        return found if isinstance(found, Mapping) else {}


def all_of(
    settings: Settings, earlier: Mapping[str, Any], *, project: str = "slipway"
) -> list[Site]:
    """All sites, the environment's own first.

    Args:
        settings: of the environment.
        earlier: the outputs of the last good update.
        project: put before the names of settings in messages.

    Raises:
        SlipwayError: naming what is wrong with one, or what two of them share.
    """
    first = Site(settings=settings, key=f"{project}:")
    shared = settings.model_dump(by_alias=True, exclude={"sites"}) | NOT_TAKEN_OVER
    further = [
        _further(given, shared, key=f"{project}:sites[{number}].")
        for number, given in enumerate(settings.sites)
    ]
    sites = [first, *further]
    _refuse_twins(sites)
    if first.name in (earlier.get("sites") or {}):
        # A site that leaves the list is removed at the end, by its name.
        raise SlipwayError(
            f"{first.key}appName is {first.name}, which is one of {project}:sites so far:"
            " update once without it, then it can be the first"
        )
    return sites


def _further(given: Mapping[str, Any], shared: Mapping[str, Any], *, key: str) -> Site:
    if "appName" not in given:
        raise SlipwayError(f"{key}appName is missing: must be another name than of any other site")
    for name in given:
        if name in (*shared, "sites") and name not in OF_A_SITE:
            raise SlipwayError(f"{key}{name} is not a site's own: it is one for all sites")
    own = {name: value for name, value in given.items() if name != SERVER_NAMES}
    if isinstance(own.get("release"), int):
        # When the engine sets a path, it takes an id of digits only for a number.
        own["release"] = str(own["release"])
    return Site(
        settings=parse({**shared, "sites": [], **own}, prefix=key),
        key=key,
        server_names=_server_names(given.get(SERVER_NAMES), key),
    )


def _server_names(given: Any, key: str) -> tuple[str, ...]:
    allowed = "one name or more, such as [shop.example.org]"
    if not isinstance(given, list) or not given:
        raise SlipwayError(f"{key}{SERVER_NAMES} is {given or 'missing'}: must be {allowed}")
    for name in given:
        if not isinstance(name, str) or not _SERVER_NAME.fullmatch(name):
            raise SlipwayError(f"{key}{SERVER_NAMES} has {name!r}: must be {allowed}")
    return tuple(given)


def _refuse_twins(sites: list[Site]) -> None:
    """Each site needs its own user, folder, database and names."""
    apps: dict[str, str] = {}
    names: dict[str, str] = {}
    for site in sites:
        if site.name in apps:
            raise SlipwayError(
                f"{site.key}appName is {site.name}, and so is {apps[site.name]}appName:"
                " each site has a name of its own"
            )
        apps[site.name] = site.key
        for name in site.server_names:
            if name in names:
                raise SlipwayError(
                    f"{site.key}{SERVER_NAMES} has {name}, and so has {names[name]}{SERVER_NAMES}:"
                    " a name leads to one site"
                )
            names[name] = site.key
