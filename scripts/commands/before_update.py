"""What scripts/up looks at before an update: what would be lost, and what nobody knows of."""

from __future__ import annotations

import sys

from scripts.commands import leaving, strays


def main(stack: str, *named: str) -> None:
    """End this program where something would be lost or left that is not among the named."""
    servers = [each for each in named if each.startswith("web-")]
    leaving.check(stack, servers)
    strays.before(stack, *(each for each in named if each not in servers))


if __name__ == "__main__":
    main(*sys.argv[1:])
