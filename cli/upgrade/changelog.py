"""What a newer CHANGELOG.md says that an older one does not; pure."""

from __future__ import annotations

from collections.abc import Iterator


def between(older: str, newer: str) -> str:
    """The entries that have come, below their headings; empty where there are none.

    An entry that was there already is left out, also where its section has become a version since.
    """
    known = set(_blocks(older))
    said: list[str] = []
    above: dict[int, str] = {}  # headings that have not been said yet, by level
    in_a_version = False
    for block in _blocks(newer):
        if level := _level(block):
            above = {at: text for at, text in above.items() if at < level} | {level: f"\n{block}"}
            in_a_version = True
        elif in_a_version and block not in known:
            said += [*above.values(), block]
            above = {}
    return "\n".join(said).strip()


def _level(block: str) -> int:
    """2 of a version's heading, 3 of one below it, 0 of an entry; the page's own title is none."""
    marks = len(block) - len(block.lstrip("#"))
    return marks if marks > 1 else 0


def _blocks(text: str) -> Iterator[str]:
    """Headings, entries with the lines that continue them, and paragraphs."""
    block: list[str] = []
    for line in text.splitlines():
        if block and (not line.strip() or line.startswith(("#", "- "))):
            yield "\n".join(block)
            block = []
        if line.strip():
            block.append(line)
    if block:
        yield "\n".join(block)
