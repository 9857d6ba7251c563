"""What nginx does for a path of the site: serve a folder, or proxy with special settings; pure.

The longest matching path wins, by whole segments: /files covers /files and everything below it, but
not /filesystem.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from components.core.errors import SlipwayError

#: The path at which `staticFolder` is served.
STATIC = "/static"
#: Where nginx serves the page of the setting `maintenance`.
MAINTENANCE_PAGE = "/maintenance.html"

_SEGMENT = r"\.?[A-Za-z0-9_~-][A-Za-z0-9_.~-]*"
_FOLDER = r"[A-Za-z0-9_-][A-Za-z0-9_.-]*"
_HEADER = r"[A-Za-z][A-Za-z0-9-]*"
# Headers that nginx sets itself, or that belong to a single connection.
_TAKEN_HEADERS = {
    *("connection", "content-length", "content-type", "date", "server"),
    *("trailer", "transfer-encoding", "upgrade"),
}

_SIZE = "a size from 1k to 1g, such as 20m"
BodySize = Annotated[str, Field(pattern=r"^([1-9][0-9]{0,2}[km]|1g)$", description=_SIZE)]
# Printable characters, except those that end nginx's quotes or begin one of its variables.
HeaderValue = Annotated[str, Field(pattern=r"^[ !#%-\[\]-~]+$")]


class Location(BaseModel):
    """One path. With `folder`, nginx serves it from there; without, the application does."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    path: Annotated[
        str,
        Field(
            pattern=rf"^(/|(/{_SEGMENT})+)$",
            description="a path such as /content, without a slash at its end",
        ),
    ]
    folder: Annotated[
        str,
        Field(
            pattern=rf"^({_FOLDER}(/{_FOLDER})*)?$",
            description="a folder inside the application, such as content",
        ),
    ] = ""
    listing: Annotated[bool, Field(description="true or false")] = False
    cache_seconds: Annotated[
        int | None, Field(ge=0, le=31_536_000, description="0 to 31536000 seconds (a year)")
    ] = None
    max_body_size: Annotated[BodySize | None, Field(description=_SIZE)] = None
    request_seconds: Annotated[
        int | None, Field(ge=1, le=3600, description="1 to 3600 seconds")
    ] = None
    headers: Annotated[
        Mapping[Annotated[str, Field(pattern=rf"^{_HEADER}$")], HeaderValue],
        Field(description="a map of names and values, without \", $, \\ or a line's end in them"),
    ] = {}

    @property
    def own_headers(self) -> dict[str, str]:
        """Headers of its responses and the site's: nginx adds those only if none are set here."""
        if not self.headers:
            return {}
        given = {name.lower() for name in self.headers}
        every = {"X-Content-Type-Options": "nosniff"}
        kept = {name: value for name, value in every.items() if name.lower() not in given}
        return {**kept, **self.headers}


def check(locations: Sequence[Location], *, key: str, static_folder: str, health_path: str) -> None:
    """Check the locations against each other and against what else nginx serves.

    Args:
        locations: from the setting.
        key: of their setting, for messages.
        static_folder: the setting; empty for none.
        health_path: the setting.

    Raises:
        SlipwayError: naming the first conflict, and what is allowed.
    """
    numbers: dict[str, int] = {}
    for number, location in enumerate(locations):
        name, path = f"{key}[{number}]", location.path
        if path in numbers:
            raise SlipwayError(
                f"{name}.path is {path}, and so is {key}[{numbers[path]}].path:"
                " must be another path, or one entry"
            )
        numbers[path] = number
        if path in (health_path, MAINTENANCE_PAGE):
            whose = "healthPath" if path == health_path else "the page of maintenance"
            raise SlipwayError(f"{name}.path is {path}, which is {whose}: must be another path")
        is_static = path == STATIC and bool(static_folder)
        if is_static and location.folder:
            raise SlipwayError(
                f"{name}.folder is {location.folder}, and staticFolder says {static_folder} for"
                f" {STATIC}: must be said once"
            )
        if path == "/" and location.folder:
            raise SlipwayError(
                f"{name}.path is /, which is the application's: must be a path such as /content"
            )
        wrong = _not_of_its_kind(location, is_folder=is_static or bool(location.folder))
        if wrong:
            raise SlipwayError(f"{name}.{wrong}")
        taken = [header for header in location.headers if header.lower() in _TAKEN_HEADERS]
        if taken:
            raise SlipwayError(
                f"{name}.headers has {taken[0]}, which nginx says itself: must be another header"
            )


def _not_of_its_kind(location: Location, *, is_folder: bool) -> str:
    if is_folder:
        only = ("max_body_size", "request_seconds")
        why = "without a folder: nobody sends one anything"
    else:
        only = ("listing", "cache_seconds")
        why = "with a folder: the application says it itself"
    given = [name for name in only if getattr(location, name) not in (None, False)]
    return f"{to_camel(given[0])} has a meaning only {why}" if given else ""


def with_static(locations: Sequence[Location], static_folder: str) -> list[Location]:
    """The locations and that of `staticFolder`, merged if one of them has the same path."""
    if not static_folder:
        return list(locations)
    said = next((each for each in locations if each.path == STATIC), Location(path=STATIC))
    others = [each for each in locations if each.path != STATIC]
    return [said.model_copy(update={"folder": static_folder}), *others]


def require_folders(
    locations: Sequence[Location], folders: Collection[str], *, key: str, release: str
) -> None:
    """Check that a release has the folders that are to be served.

    Args:
        locations: from the setting.
        folders: those of the release.
        key: of the setting, for messages.
        release: the folder it is made from, for messages.

    Raises:
        SlipwayError: naming the first that is missing.
    """
    for number, location in enumerate(locations):
        if location.folder and location.folder not in folders:
            raise SlipwayError(
                f"{key}[{number}].folder is {location.folder}: {release} has no such folder that"
                " goes into a release (a file in it, and not one that an ignore file names)"
            )
