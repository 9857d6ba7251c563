"""The file with the application's environment variables."""

from __future__ import annotations

import re
from pathlib import Path

from .console import ReleaseError

#: A line of an env file: empty, a comment, or KEY=value. A quoted value may span several lines.
ENVIRONMENT_LINE = re.compile(
    r"""
    [ \t]*
    (?: [#;] [^\n]*
      | ([A-Za-z_]\w*) [ \t]* = [ \t]*
        (?: '([^']*)' | "((?:[^"\\]|\\.)*)" | ((?:[^\n\\]|\\.)*) )
        [ \t]*
    )?
    (?: \n | $ )
    """,
    re.ASCII | re.DOTALL | re.VERBOSE,
)


def environment_of(path: Path) -> dict[str, str]:
    """Parse an env file as systemd's EnvironmentFile= does."""
    found = {}
    text = path.read_text(encoding="utf-8")
    position = 0
    while position < len(text):
        line = ENVIRONMENT_LINE.match(text, position)
        if line is None:
            number = text.count("\n", 0, position) + 1
            raise ReleaseError(
                f"{path}: line {number} is not KEY=value"
            )  # not quoted: it may be a secret
        position = line.end()
        key, single, double, bare = line.groups()
        if key is None:
            continue
        if single is not None:
            found[key] = single
        elif double is not None:
            found[key] = re.sub(r'\\(["\\`$\n])', unescaped, double)
        else:
            found[key] = re.sub(r"\\(.)", unescaped, bare, flags=re.DOTALL).strip()
    return found


def unescaped(match: re.Match[str]) -> str:
    """A backslash followed by a character stands for that character; before a newline, nothing."""
    return "" if match[1] == "\n" else match[1]
