"""What is written down of an update while it runs, for `scripts/up --profile`."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cli.console import say
from cli.paths import home
from cli.timeline.timeline import changed_resources, parts_of, spans_of, steps_of


@dataclass(frozen=True)
class Recording:
    """Files in a folder that goes: the engine's trace holds whole requests, and those secrets."""

    folder: Path
    began: float
    """When the command began, in seconds since the epoch."""

    @classmethod
    @contextmanager
    def begun(cls) -> Iterator[Recording]:
        """Within the block, plugins that start write their parts."""
        began = time.time()
        home().mkdir(mode=0o700, parents=True, exist_ok=True)
        with TemporaryDirectory(dir=home(), prefix="timeline.") as folder:
            os.environ["SLIPWAY_TIMELINE"] = str(Path(folder, "parts"))
            try:
                yield cls(Path(folder), began)
            finally:
                os.environ.pop("SLIPWAY_TIMELINE", None)

    @property
    def trace(self) -> Path:
        """What the engine writes."""
        return self.folder / "trace"

    @property
    def said(self) -> Path:
        """What the engine says to people."""
        return self.folder / "said"

    def draw(self, stack: str) -> None:
        """Draw the timeline, and say where it is."""
        from cli.timeline.timeline_svg import drawing

        steps = steps_of(
            spans_of(_lines(self.trace)),
            changed_resources("\n".join(_lines(self.said))),
            parts_of(_lines(self.folder / "parts")),
            since=self.began,
        )
        if not steps:
            say("there is no timeline: the engine wrote no trace of an update")
            return
        seconds = max(step.at + step.seconds for step in steps)
        file = home() / f"timeline-{stack}.svg"
        file.write_text(drawing(f"scripts/up {stack}, {seconds:.1f} s", steps))
        say(f"{stack}: where the time went: {file}")


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
