"""Renders templates; pure."""

from __future__ import annotations

import shlex
import traceback
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

from components.core.errors import SlipwayError
from components.core.project import ROOT

FOLDER = ROOT / "templates"


@cache
def _environment(folder: Path) -> Environment:
    return environment(FileSystemLoader(folder))


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
    return environment


def render(template: str, /, **values: Any) -> str:
    """Render a template of `templates/`.

    Raises:
        SlipwayError: the template is missing, wrong or lacks a value; names it and the line.
    """
    try:
        return _environment(FOLDER).get_template(template).render(**values)
    except TemplateError as error:
        raise _explained(error, template) from None


def check_all() -> None:
    """Compile every template, so that an error in one is found before anything is changed."""
    for name in _environment(FOLDER).list_templates():
        try:
            _environment(FOLDER).get_template(name)
        except TemplateError as error:
            raise _explained(error, name) from None


def _explained(error: TemplateError, template: str) -> SlipwayError:
    where = f"templates/{template}, line {_line_of(error, template)}"
    return SlipwayError(f"{where}: {error.message or type(error).__name__}")


def _line_of(error: TemplateError, template: str) -> int:
    """A syntax error has the line; for other errors jinja puts the template into the traceback."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno or 0 for frame in frames if Path(frame.filename).name == template]
    return lines[-1] if lines else 0
