"""Print one output of an environment, as it was after the last good update."""

from __future__ import annotations

import sys

from scripts.commands.engine import fail, outputs


def main(stack: str, name: str) -> None:
    known = outputs(stack)
    if name not in known:
        fail(f"{stack} has no output {name!r}; there is: {', '.join(known) or 'none yet'}")
    print(known[name])  # noqa: T201 - the script that called reads it


if __name__ == "__main__":
    main(*sys.argv[1:])
