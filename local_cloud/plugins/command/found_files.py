"""The files a local command left behind: `assetPaths` and `archivePaths`.

Patterns: `*` is anything but a slash, `**` anything, `?` one character, `[a-z]` and `[!a-z]` a
choice, `{a,b}` alternatives; one that begins with `!` takes files out again. In order.
"""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from pathlib import Path

from local_cloud.plugins.shared_provider import PluginError
from local_cloud.plugins.shared_values import Archive, Asset, Properties


def found_files(folder: Path, patterns: list[str]) -> dict[str, Path]:
    """The files below `folder` that the patterns leave, by their path relative to it."""
    rules = [(p.startswith("!"), expression_of(p.removeprefix("!"))) for p in patterns]
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            relative = path.relative_to(folder).as_posix()
            if _taken(relative, rules):
                found[relative] = path
    return dict(sorted(found.items()))


def _taken(relative: str, rules: list[tuple[bool, re.Pattern[str]]]) -> bool:
    taken = False
    for excludes, expression in rules:
        if expression.fullmatch(relative):
            taken = not excludes
    return taken


def expression_of(pattern: str) -> re.Pattern[str]:
    """The regular expression of a glob pattern.

    Raises:
        PluginError: a bracket or brace of it is not closed.
    """
    text, depth, rest = "", 0, pattern
    while rest:
        part, rest = _next_part(rest)
        if part == "{":
            depth += 1
            text += "(?:"
        elif part == "}" and depth:
            depth -= 1
            text += ")"
        elif part == "," and depth:
            text += "|"
        else:
            text += _TRANSLATED.get(part) or _translated(part)
    if depth:
        raise PluginError(f"the pattern {pattern!r} has a brace that is not closed")
    return re.compile(text, re.DOTALL)


_TRANSLATED = {"**": ".*", "*": "[^/]*", "?": "[^/]"}


def _next_part(rest: str) -> tuple[str, str]:
    part = re.match(r"\*\*+|\[!?[^\]]+\]|\\.|.", rest, re.DOTALL)
    assert part is not None
    text = "**" if part.group().startswith("**") else part.group()
    return text, rest[part.end() :]


def _translated(part: str) -> str:
    if len(part) > 1 and part.startswith("["):
        inside = part[1:-1].replace("\\", "\\\\").replace("^", "\\^")
        return f"[^{inside[1:]}]" if inside.startswith("!") else f"[{inside}]"
    if part == "[":
        raise PluginError("a pattern has a bracket that is not closed")
    return re.escape(part[1:] if len(part) > 1 else part)


def assets_of(files: dict[str, Path]) -> Properties:
    """Each file as an asset, with the hash the engine would compute."""
    return {
        relative: Asset(hash=hashlib.sha256(path.read_bytes()).hexdigest(), path=str(path))
        for relative, path in files.items()
    }


def archive_of(files: dict[str, Path]) -> Archive:
    """All the files as one archive, with the hash the engine would compute."""
    return Archive(hash=_archive_hash(files), assets=assets_of(files))


def _archive_hash(files: dict[str, Path]) -> str:
    # The engine hashes the tar file it would make of an archive, files in order of their names.
    digest = hashlib.sha256()
    for relative, path in files.items():
        content = path.read_bytes()
        digest.update(_tar_header(relative, len(content)))
        digest.update(content)
        digest.update(bytes(-len(content) % tarfile.BLOCKSIZE))
    digest.update(bytes(2 * tarfile.BLOCKSIZE))
    return digest.hexdigest()


def _tar_header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.mode = 0o600
    entry.size = size
    header = bytearray(entry.tobuf(tarfile.PAX_FORMAT, "utf-8"))
    # Go writes zeros where Python leaves the two numbers of a device empty.
    last = memoryview(header)[-tarfile.BLOCKSIZE :]
    last[329:345] = b"0000000\0" * 2
    last[148:156] = b" " * 8
    last[148:156] = b"%06o\0 " % sum(last)
    return bytes(header)
