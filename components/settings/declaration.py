"""How a setting is declared: all that is to be said about it, once.

    web_port: Annotated[Port, Setting("Port that nginx listens on", on_change=IN_PLACE)] = 80

The type says what is allowed (types.py), the value is the default, and `Setting` is the rest.
Pulumi.yaml, the README's table, what a further site may have and what releasectl gets are made of
that (scripts/commands/settings_documents.py, site.py, components/application/application.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel


class OnChange(StrEnum):
    """The effect of a change on an environment that is up."""

    IN_PLACE = "in place"
    ROLLED_OUT = "rolled out like a release"
    ONE_BY_ONE = "one server after the other"
    INTERRUPTS = "interrupts, and says so before"
    NEW_SERVERS = "for new servers"
    REFUSED = "refused, unless what it destroys is named"
    LATER = "from the next update on"


class OfSite(StrEnum):
    """Whether a further site has its own value."""

    NO = "one for all sites"
    OWN = "its own, or the default"
    TAKEN_OVER = "its own, or that of the first site"


IN_PLACE, ROLLED_OUT, ONE_BY_ONE = OnChange.IN_PLACE, OnChange.ROLLED_OUT, OnChange.ONE_BY_ONE
INTERRUPTS, NEW_SERVERS = OnChange.INTERRUPTS, OnChange.NEW_SERVERS
REFUSED, LATER = OnChange.REFUSED, OnChange.LATER
OWN, TAKEN_OVER = OfSite.OWN, OfSite.TAKEN_OVER


@dataclass(frozen=True)
class Setting:
    help: str
    """One line, for Pulumi.yaml and the README."""
    on_change: OnChange
    of_site: OfSite = OfSite.NO
    releasectl: bool = False
    """Whether app.json contains it, under the same name."""
    secret: bool = False
    """Whether it can contain a secret; then templates do not get it."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A setting with its declaration."""

    name: str
    """In templates and releasectl: web_port."""
    key: str
    """In stack files: webPort."""
    default: Any
    annotation: Any
    said: Setting


def declared_in(model: type[BaseModel]) -> Iterator[Declared]:
    """The settings of a model, in the order in which they are declared.

    Raises:
        TypeError: one has no `Setting` or no default.
    """
    for name, field in model.model_fields.items():
        said = [each for each in field.metadata if isinstance(each, Setting)]
        if len(said) != 1 or field.is_required():
            raise TypeError(f"{model.__name__}.{name} needs a default and one Setting(...)")
        yield Declared(
            name=name,
            key=field.alias or name,
            default=field.get_default(call_default_factory=True),
            annotation=field.annotation,
            said=said[0],
        )
