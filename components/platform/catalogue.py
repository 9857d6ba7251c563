"""What the provider offers: an unknown size, region or image is refused before anything is
changed, because a resize begins by powering the server off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import pulumi

from components.core.errors import SlipwayError
from components.platform import api
from components.settings.settings import Settings

#: The stack output with what the provider has already delivered, which is not checked again.
OUTPUT = "ordered"
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
    if wanted == before or not api.token():
        return
    try:
        found = Catalogue(
            sizes=api.all_of("sizes", "sizes"),
            regions=api.all_of("regions", "regions"),
            images=api.all_of("images", "images", "type=distribution&"),
        )
    except (OSError, ValueError, KeyError) as error:
        pulumi.log.debug(f"the catalogue of {api.address()} could not be read: {error}")
        return
    found.check(wanted, before, pulumi.get_project())


def _missing(project: str, key: str, value: str, where: str, there: Sequence[str]) -> SlipwayError:
    allowed = list(there)
    if len(allowed) > MOST_TOLD:
        allowed = [*get_close_matches(value, allowed, MOST_TOLD, cutoff=0), "…"]
    return SlipwayError(
        f"{project}:{key} is {value}, which the provider does not have{where}: must be one of"
        f" {', '.join(allowed)}"
    )
