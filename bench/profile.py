"""One run of a case with the engine's trace on, and the processes that it started."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.site import ROOT, Ran, Site
from cli.timeline import timeline
from cli.timeline.timeline import Step
from cli.timeline.timeline_svg import drawing

LOOK_EVERY_SECONDS = 0.005
# Shorter ones (sed, cat, dirname) are noise.
SHORTEST_SECONDS = 0.01
DRAWINGS = ROOT / "docs" / "performance"


def profile(site: Site, cases: Sequence[str], say: Callable[[str], None]) -> None:
    """Print and draw the timelines of `nothing`, `code` and `rollback`, those asked for."""
    say("bringing the environment up")
    site.up()
    # One without a trace first: a first run after bringing up fills caches.
    site.new_edition()
    site.up()
    if "nothing" in cases:
        _print("nothing", *_traced(site, "scripts/up local"))
    if "code" in cases:
        site.new_edition()
        _print("code", *_traced(site, "scripts/up local"))
    if "rollback" in cases:
        _print("rollback", *_traced(site, "scripts/rollback local"))


def _traced(site: Site, command: str) -> tuple[Ran, list[Step], list[Step]]:
    """The run, the timeline of its `pulumi up`, and its processes."""
    trace, written = (site.folder / ".slipway" / name for name in ("trace.json", "parts"))
    settings = {
        "PULUMI_OPTION_OTEL_TRACES": f"file://{trace}",
        "SLIPWAY_TIMELINE": str(written),
    }
    written.unlink(missing_ok=True)
    began = time.time()
    with Watch(os.getpid(), trace) as watch:
        ran = site.run(command, more=settings)
    changed = timeline.changed_resources(ran.output)
    parts = timeline.parts_of(written.read_text().splitlines() if written.exists() else [])
    steps: list[Step] = []
    for lines in watch.traces():
        steps = steps or timeline.steps_of(timeline.spans_of(lines), changed, parts, began)
    return ran, steps, watch.steps()


def _print(case: str, ran: Ran, steps: list[Step], processes: list[Step]) -> None:
    print(f"\n{case}: {ran.seconds * 1000:.0f} ms (with the trace, which costs a little)\n")
    print("processes")
    print(timeline.as_table(processes))
    print("\nits pulumi up")
    print(timeline.as_table(steps))
    DRAWINGS.mkdir(exist_ok=True)
    (DRAWINGS / f"timeline-{case}.svg").write_text(drawing(f"{case}, {ran.seconds:.1f} s", steps))


@dataclass
class Seen:
    """A process between the first and the last time it was seen."""

    what: str
    first: float
    last: float


@dataclass
class Watch:
    """Looks on from `with` to its end: which processes come and go below one, and their traces.

    Every run of the engine writes its trace to the same file, anew: each file is opened as soon as
    it is there and its name taken away, so the next one does not overwrite it, and the requests in
    it, which hold secrets, are never left behind.
    """

    parent: int
    trace: Path
    seen: dict[int, Seen] = field(default_factory=dict)
    files: list[int] = field(default_factory=list)

    def __enter__(self) -> Watch:
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._look_on)
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()
        self._take_trace()

    def steps(self) -> list[Step]:
        return [
            Step(each.what, each.first - self._began, each.last - each.first)
            for each in sorted(self.seen.values(), key=lambda each: each.first)
            if each.last - each.first >= SHORTEST_SECONDS
        ]

    def traces(self) -> list[list[str]]:
        """The lines of each trace; reads them once."""
        found = []
        for descriptor in self.files:
            os.lseek(descriptor, 0, os.SEEK_SET)
            with os.fdopen(descriptor) as file:
                found.append(file.readlines())
        self.files.clear()
        return found

    def _look_on(self) -> None:
        while not self._enough.wait(LOOK_EVERY_SECONDS):
            now = time.monotonic()
            for process in _below(self.parent):
                known = self.seen.get(process)
                what = _command_line(process)
                if known is None:
                    if what:
                        self.seen[process] = Seen(what, now, now)
                else:
                    # A shell becomes what it executes.
                    known.what, known.last = what or known.what, now
            self._take_trace()

    def _take_trace(self) -> None:
        with suppress(FileNotFoundError):
            descriptor = os.open(self.trace, os.O_RDONLY)
            self.trace.unlink()
            self.files.append(descriptor)


def _below(process: int) -> list[int]:
    """All descendants of a process; ends that race with us are just not there."""
    found = []
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *_below(int(child))]
    return found


def _command_line(process: int) -> str:
    """Its program and what says which one it is; no other words, for they could be long."""
    try:
        words = Path(f"/proc/{process}/cmdline").read_text().split("\0")
    except OSError:
        return ""
    return shortened([word for word in words if word])


def shortened(words: Sequence[str]) -> str:
    """A command line as a short name: "python3 -m local_cloud start", "pulumi up"."""
    names = [Path(word).name if word.startswith("/") else word for word in words]
    return " ".join(names[:4])[:48]
