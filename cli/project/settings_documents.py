"""Write what the declarations of the settings say into Pulumi.yaml and the README.

    python3 -m cli.project.settings_documents

A test holds both equal to the declarations (tests/unit/test_readme.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from cli.paths import ROOT
from components.settings.declaration import Declared, declared_in
from components.settings.settings import SECTIONS

_CONFIG = re.compile(r"^config:\n.*\Z", re.DOTALL | re.MULTILINE)
_TABLE = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)
_TYPES = {str: "string", int: "integer", bool: "boolean", dict: "object", list: "array"}


def pulumi_yaml(text: str) -> str:
    """The project's file with the settings as they are declared."""
    return _CONFIG.sub(lambda _: "config:\n" + "\n".join(_sections()), text)


def readme(text: str) -> str:
    """The README with the table of the settings."""
    return _TABLE.sub(lambda found: found[1] + table() + found[2], text)


def table() -> str:
    """Markdown; one row a setting."""
    rows = [
        f"| `{each.key}` | {_type(each.annotation)} | {_in_markdown(each.default)} |"
        f" {each.said.help} |"
        for section in SECTIONS
        for each in declared_in(section)
    ]
    return "\n".join(["| setting | type | default | what it is |", "|---|---|---|---|", *rows, ""])


def _sections() -> Iterator[str]:
    for section in SECTIONS:
        title = (section.__doc__ or "").removesuffix(".")
        yield "\n".join([f"  # {title}", *(_entry(each) for each in declared_in(section)), ""])


def _entry(each: Declared) -> str:
    lines = [f"  {each.key}:", f"    type: {_type(each.annotation)}"]
    if isinstance(each.default, list):
        (inner,) = each.annotation.__args__
        # A list of maps is one of models here; text with a check of its own is text.
        lines.append(f"    items: {{type: {_type(inner)}}}")
    plain = isinstance(each.default, str) and each.default
    shown = each.default if plain else json.dumps(each.default)
    return "\n".join([*lines, f"    default: {shown}", f"    description: {each.said.help}"])


def _type(annotation: Any) -> str:
    """As Pulumi calls it."""
    plain = getattr(annotation, "__origin__", annotation)
    return _TYPES.get(plain, "object")


def _in_markdown(default: object) -> str:
    if default == "":
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def main() -> None:
    for name, written in (("Pulumi.yaml", pulumi_yaml), ("README.md", readme)):
        path = ROOT / name
        path.write_text(written(path.read_text()))


if __name__ == "__main__":
    main()
