"""The commands that the documentation tells a person to type, read from its files."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

_BLOCK = re.compile(r"^ *```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_COMMENT = re.compile(r"(^|\s+)#\s.*$")
_CODE = re.compile(r"`([^`]+)`")
_TYPED_ROWS = re.compile(r"^ *\| you typed \| now \|\n.*\n((?: *\|.*\n)+)", re.MULTILINE)
_OURS = ("scripts/", "pulumi ", "python3 ", "curl ")


def commands() -> set[str]:
    """Every line of the sh blocks, the table of daily use, the steps to DigitalOcean, and what
    the tables of docs/coming-from say that one types now."""
    readme = DOCUMENTS[0].read_text()
    found = in_daily_use(readme) | in_steps(readme)
    for document in DOCUMENTS:
        text = document.read_text()
        found |= in_blocks(text) | in_place_of_others(text)
    return found


def in_blocks(text: str) -> set[str]:
    lines = "\n".join(_BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    return {without for line in lines if (without := _COMMENT.sub("", line).strip())}


def in_daily_use(readme: str) -> set[str]:
    """The second column of the table."""
    rows = [line for line in _section(readme, "Daily use").splitlines() if line.startswith("| ")]
    return {code for row in rows[1:] for code in _CODE.findall(row.split("|")[2])}


def in_place_of_others(text: str) -> set[str]:
    """The second column of tables that say what was typed elsewhere, and what is typed here."""
    rows = "".join(_TYPED_ROWS.findall(text)).splitlines()
    codes = {code for row in rows for code in _CODE.findall(row.split("|")[2])}
    return {code for code in codes if code.startswith(_OURS)}


def in_steps(readme: str) -> set[str]:
    section = _section(readme, "To DigitalOcean in six steps")
    codes = _CODE.findall(_BLOCK.sub("", section))
    return {code for code in codes if code.startswith("scripts/")}


def _section(text: str, title: str) -> str:
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
