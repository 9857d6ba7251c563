"""Draw the timeline of an update that has ended: `scripts/up --profile` runs this.

usage: python -m scripts.commands.timeline_of FOLDER STACK BEGAN DRAWING

FOLDER holds what was written meanwhile: trace (by the engine), parts (by plugins), said (by the
engine, to people). BEGAN is when the script began, in seconds since the epoch.
"""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.commands.timeline import changed_resources, parts_of, spans_of, steps_of
from scripts.commands.timeline_svg import drawing


def main() -> None:
    folder, stack, began, file = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4]
    steps = steps_of(
        spans_of(_lines(folder / "trace")),
        changed_resources("\n".join(_lines(folder / "said"))),
        parts_of(_lines(folder / "parts")),
        since=began,
    )
    if not steps:
        sys.exit("slipway: there is no timeline: the engine wrote no trace of an update")
    seconds = max(step.at + step.seconds for step in steps)
    Path(file).write_text(drawing(f"scripts/up {stack}, {seconds:.1f} s", steps))


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


if __name__ == "__main__":
    main()
