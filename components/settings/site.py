"""The sites of an environment: the first one, and those in the setting `sites`; pure.

The first site also answers for every server name that no other site has. A further site has the
settings of the first, except for those it sets itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.core.errors import SlipwayError
from components.settings.declaration import OfSite, declared_in
from components.settings.load import parse
from components.settings.settings import Settings

SERVER_NAMES = "serverNames"
REDIRECT_NAMES = "redirectNames"
#: Settings that a further site does not inherit from the first, with their defaults.
NOT_TAKEN_OVER: dict[str, Any] = {
    each.key: each.default for each in declared_in(Settings) if each.said.of_site is OfSite.OWN
}
#: Settings that a site can set; all others are for the whole environment.
OF_A_SITE = frozenset(
    each.key for each in declared_in(Settings) if each.said.of_site is not OfSite.NO
)


@dataclass(frozen=True, kw_only=True)
class Site:
    settings: Settings
    """Those of the environment, with this site's own."""
    key: str
    """Prefix of its settings in messages."""
    is_first: bool = False
    """Whether it is the site that the environment's own settings describe."""

    @property
    def server_names(self) -> tuple[str, ...]:
        return tuple(self.settings.server_names)

    @property
    def all_names(self) -> tuple[str, ...]:
        """Those and the ones whose visitors are sent on."""
        return (*self.server_names, *self.settings.redirect_names)

    @property
    def name(self) -> str:
        return self.settings.app_name

    def within(self, stack: str) -> str:
        """A key for what is stored per site: the stack, or such as `local/shop`."""
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
    """All sites, beginning with the first.

    Args:
        settings: of the environment.
        earlier: the outputs of the last successful update.
        project: prefix of settings in messages.

    Raises:
        SlipwayError: a site is invalid, or two sites share a name.
    """
    first = Site(settings=settings, key=f"{project}:", is_first=True)
    shared = settings.model_dump(by_alias=True, exclude={"sites"}) | NOT_TAKEN_OVER
    further = [
        _further(given, shared, key=f"{project}:sites[{number}].")
        for number, given in enumerate(settings.sites)
    ]
    sites = [first, *further]
    _refuse_twins(sites)
    if first.name in (earlier.get("sites") or {}):
        # A site that leaves the list is uninstalled at the end of the update, by its name.
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
    own = dict(given)
    if isinstance(own.get("release"), int):
        # `pulumi config set --path` turns an id of digits only into a number.
        own["release"] = str(own["release"])
    site = Site(settings=parse({**shared, "sites": [], **own}, prefix=key), key=key)
    if not site.server_names:
        raise SlipwayError(
            f"{key}{SERVER_NAMES} is missing: must be one name or more, such as [shop.example.org]"
        )
    return site


def _refuse_twins(sites: list[Site]) -> None:
    """Refuse two sites with the same application name or server name."""
    apps: dict[str, str] = {}
    names: dict[str, str] = {}
    for site in sites:
        if site.name in apps:
            raise SlipwayError(
                f"{site.key}appName is {site.name}, and so is {apps[site.name]}appName:"
                " each site has a name of its own"
            )
        apps[site.name] = site.key
        for name in (*site.server_names, *_redirected(site)):
            if name in names:
                raise SlipwayError(
                    f"{site.key}{SERVER_NAMES} has {name}, and so has {names[name]}{SERVER_NAMES}:"
                    " a name leads to one site"
                )
            names[name] = site.key


def _redirected(site: Site) -> list[str]:
    """The names whose visitors are sent on, each to another one."""
    for name, target in site.settings.redirect_names.items():
        if name == target or target.startswith("*."):
            raise SlipwayError(
                f"{site.key}{REDIRECT_NAMES} sends {name} on to {target}: must be another name, and"
                " no wildcard"
            )
    if site.settings.redirect_names and not site.server_names:
        raise SlipwayError(
            f"{site.key}{REDIRECT_NAMES} is set, and {site.key}{SERVER_NAMES} is empty: must be one"
            " name or more, such as [www.example.org]"
        )
    return list(site.settings.redirect_names)
