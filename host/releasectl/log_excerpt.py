"""The part of a log that is worth showing."""

from __future__ import annotations

import re
from pathlib import Path

LOG_LINES = 80


#: More than are shown, because repeated tracebacks are left out.
LOG_LINES_READ = 400


TRACEBACK_BEGINS = "Traceback (most recent call last)"


PACKAGES = re.compile(r"/(venvs|\.venv|site-packages)/")


FRAME = re.compile(r'\s+File "(?P<file>[^"]+)", line (?P<line>\d+)')


def blocks_of(log: str) -> list[list[str]]:
    """Group the lines of a log: a traceback is one block, any other line a block of its own."""
    blocks: list[list[str]] = []
    inside = False
    for line in log.splitlines():
        if line.startswith(TRACEBACK_BEGINS):
            inside = True
            blocks.append([line])
        elif inside:
            blocks[-1].append(line)
            inside = line.startswith(" ")  # the first line that is not indented is the error
        else:
            blocks.append([line])
    return blocks


def readable(log: str) -> str:
    """The end of a log with each traceback once: workers that fail alike write the same one."""
    kept: list[list[str]] = []
    left_out = 0
    for block in blocks_of(log):
        if len(block) > 1 and block in kept:
            left_out += 1
        else:
            kept.append(block)
    # Drop the rest of a traceback whose beginning was cut off.
    first = next((n for n, block in enumerate(kept) if len(block) > 1), 0)
    if any(FRAME.match(f" {block[0]}") for block in kept[:first]):
        del kept[:first]
    lines = [line for block in kept for line in block]
    if left_out:
        lines.append(f"(repeated tracebacks left out: {left_out})")
    return "\n".join(lines[-LOG_LINES:])


def cause_in(log: str, root: Path) -> str:
    """The error that made the application fail, with file and line; empty if there is none."""
    cause = ""
    for block in blocks_of(log):
        frames = [match for line in block if (match := FRAME.match(line))]
        if not frames:
            continue
        own = [
            each
            for each in frames
            if each["file"].startswith(f"{root}/") and not PACKAGES.search(each["file"])
        ]
        where = f" ({Path(own[-1]['file']).name}, line {own[-1]['line']})" if own else ""
        if own or not cause:
            cause = f"{block[-1].strip()}{where}"
    return cause
