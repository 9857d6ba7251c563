"""What the provider offers: an unknown size, region or image is refused before anything is
changed, because a resize begins by powering the server off."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pulumi

from components.core.errors import SlipwayError
from components.settings.load import api_endpoint
from components.settings.settings import Settings

#: The stack output with what the provider has already delivered, which is not checked again.
OUTPUT = "ordered"
DIGITALOCEAN = "https://api.digitalocean.com"
SECONDS_FOR_AN_ANSWER = 10
MOST_ON_A_PAGE = 200
MOST_TOLD = 12


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Sizes, regions and images, as the API lists them."""

    sizes: Sequence[Mapping[str, Any]]
    regions: Sequence[Mapping[str, Any]]
    images: Sequence[Mapping[str, Any]]

    def check(self, wanted: Mapping[str, str], earlier: Mapping[str, str], project: str) -> None:
        """Raise `SlipwayError` for the first value that the provider does not offer; pure.

        Args:
            wanted: region, image, webSize and dbSize, as `ordered` gives them.
            earlier: the same of the last good update; empty before the first.
            project: put before the names of settings in messages.
        """
        region = wanted["region"]
        regions = sorted(each["slug"] for each in self.regions if each["available"])
        if region not in regions:
            raise _missing(project, "region", region, "", regions)
        where = f" in {region}"
        images = sorted(
            each["slug"]
            for each in self.images
            if (each["slug"] or "").startswith("debian-") and region in each["regions"]
        )
        if wanted["image"] not in images:
            raise _missing(project, "image", wanted["image"], where, images)
        sizes = {
            each["slug"]: each
            for each in self.sizes
            if each["available"] and region in each["regions"]
        }
        for key in ("webSize", "dbSize"):
            size = wanted[key]
            if size not in sizes:
                raise _missing(project, key, size, where, sorted(sizes))
            disks = {each["slug"]: each["disk"] for each in self.sizes}
            before = disks.get(earlier.get(key, ""), 0)
            if disks[size] < before:
                fitting = sorted(each for each in sizes if disks[each] >= before)
                raise SlipwayError(
                    f"{project}:{key} is {size}, with a disk of {disks[size]} GB, and the disk of"
                    f" {before} GB that is there cannot shrink: must be one of"
                    f" {', '.join(fitting)}"
                )


def ordered(settings: Settings) -> dict[str, str]:
    """What the settings order from the provider."""
    return {
        "region": settings.region,
        "image": settings.image,
        "webSize": settings.web_size,
        "dbSize": settings.db_size,
    }


def check(settings: Settings, earlier: Mapping[str, Any]) -> None:
    """Ask the provider whether it offers what the settings order now and did not before.

    If it does not answer, or there is no token, this passes: the update explains that better.

    Raises:
        SlipwayError: it does not offer it.
    """
    wanted, before = ordered(settings), earlier.get(OUTPUT) or {}
    token = _token()
    if wanted == before or not token:
        return
    address = (api_endpoint() or DIGITALOCEAN).rstrip("/")
    try:
        found = Catalogue(
            sizes=_all(address, token, "sizes"),
            regions=_all(address, token, "regions"),
            images=_all(address, token, "images", "type=distribution&"),
        )
    except (URLError, OSError, ValueError, KeyError) as error:
        pulumi.log.debug(f"the catalogue of {address} could not be read: {error}")
        return
    found.check(wanted, before, pulumi.get_project())


def _all(address: str, token: str, what: str, wish: str = "") -> list[dict[str, Any]]:
    """All items of a kind, from all pages."""
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        request = Request(  # noqa: S310 - the provider's own address, from the settings
            f"{address}/v2/{what}?{wish}per_page={MOST_ON_A_PAGE}&page={page}",
            headers={"Authorization": f"Bearer {token}"},
        )
        with urlopen(request, timeout=SECONDS_FOR_AN_ANSWER) as answer:  # noqa: S310
            body = json.load(answer)
        found += body[what]
        if not body.get("links", {}).get("pages", {}).get("next"):
            return found
        page += 1


def _token() -> str:
    """The provider's token, found as the engine finds it."""
    given = pulumi.Config("digitalocean").get("token")
    names = ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN")
    return given or next((os.environ[name] for name in names if os.environ.get(name)), "")


def _missing(project: str, key: str, value: str, where: str, there: Sequence[str]) -> SlipwayError:
    allowed = list(there)
    if len(allowed) > MOST_TOLD:
        allowed = [*get_close_matches(value, allowed, MOST_TOLD, cutoff=0), "…"]
    return SlipwayError(
        f"{project}:{key} is {value}, which the provider does not have{where}: must be one of"
        f" {', '.join(allowed)}"
    )
