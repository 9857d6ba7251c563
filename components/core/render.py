"""Templates to text; pure.

A template in `templates/own/` stands for ours of the same name: that folder is the project's own.
"""

from __future__ import annotations

import shlex
import traceback
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateSyntaxError,
)

from components.core import ssh_timeouts
from components.core.errors import SlipwayError
from components.core.project import ROOT

FOLDER = ROOT / "templates"
OWN = "own"


@cache
def _environment(folder: Path) -> Environment:
    return environment(FileSystemLoader([folder / OWN, folder]))


def environment(loader: BaseLoader | None = None) -> Environment:
    """A jinja2 environment for configuration files. A missing value is an error."""
    environment = Environment(
        loader=loader,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - configuration files, not HTML
    )
    environment.filters["quote"] = shlex.quote
    environment.globals["ssh_timeouts"] = ssh_timeouts
    return environment


def render(template: str, /, **values: Any) -> str:
    """Fill a template of `templates/own/`, or else of `templates/`.

    Raises:
        SlipwayError: the template is missing, wrong or lacks a value; names it and the line.
    """
    try:
        return _environment(FOLDER).get_template(template).render(**values)
    except TemplateError as error:
        raise _explained(error, template) from None


def check_all() -> None:
    """Compile every template, so that a mistake in one is found before anything is made.

    Raises:
        SlipwayError: one has a mistake, or one of the project's own stands for none of ours.
    """
    ours = {path.name for path in FOLDER.iterdir() if path.is_file()}
    own = FileSystemLoader(FOLDER / OWN).list_templates()
    for name in own:
        if name not in ours and not name.startswith("."):
            near = get_close_matches(name, ours, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SlipwayError(
                f"templates/{OWN}/{name} replaces nothing:"
                f" must have the name of a file in templates/{hint}"
            )
    for name in sorted(ours):
        try:
            _environment(FOLDER).get_template(name)
        except TemplateError as error:
            raise _explained(error, name) from None


def _explained(error: TemplateError, template: str) -> SlipwayError:
    name, line = _place_of(error, template)
    path = f"{OWN}/{name}" if (FOLDER / OWN / name).exists() else name
    return SlipwayError(f"templates/{path}, line {line}: {error.message or type(error).__name__}")


def _place_of(error: TemplateError, template: str) -> tuple[str, int]:
    """The template with the mistake, which may be one that is included, and the line.

    A syntax error has them; for other errors jinja puts the templates into the traceback.
    """
    if isinstance(error, TemplateSyntaxError):
        return error.name or template, error.lineno
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if Path(frame.filename).is_relative_to(FOLDER)
    ]
    if not frames:
        return template, 0
    return Path(frames[-1].filename).name, frames[-1].lineno or 0
