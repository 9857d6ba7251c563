"""Templates to text; pure."""

from __future__ import annotations

import shlex
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from components.errors import SlipwayError

FOLDER = Path(__file__).resolve().parent.parent / "templates"


@cache
def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - configuration files, not HTML
    )
    environment.filters["quote"] = shlex.quote
    return environment


def render(template: str, /, **values: Any) -> str:
    """Fill a template of `templates/`.

    Raises:
        SlipwayError: naming the template and line, when it is missing, wrong or lacks a value.
    """
    try:
        return _environment(FOLDER).get_template(template).render(**values)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        where = f"templates/{template}" + (f", line {line}" if line else "")
        raise SlipwayError(f"{where}: {error.message or type(error).__name__}") from None
