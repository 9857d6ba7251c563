"""Where the time of one command goes, from the engine's own trace; pure.

The engine writes OpenTelemetry spans as lines of JSON (`pulumi --otel-traces file://…`). What is
called what there is the engine's own affair: a span that is not found just gives no line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_ENDED = re.compile(
    r"^ *[+~-]* *\S+:\S+ (\S+) (?:created|updated|replaced|deleted|.*failed)\b", re.MULTILINE
)
_CHANGES = ("Create", "Update", "Delete")
_NANOSECONDS = 1e9


@dataclass(frozen=True)
class Span:
    """A named stretch of time, in seconds since the epoch; `detail` says which one of its kind."""

    name: str
    began: float
    ended: float
    detail: str = ""


@dataclass(frozen=True)
class Step:
    """One line of the timeline: what, from when (in seconds), and for how long."""

    what: str
    at: float
    seconds: float
    kind: str = ""
    """engine, program, plugin, remote (a change of a resource), or a part of a change: connect,
    transfer, command."""


@dataclass(frozen=True)
class Part:
    """Connect, transfer or command of one change (local_cloud/plugins/shared_stopwatch.py)."""

    resource: str
    what: str
    began: float
    ended: float


def parts_of(lines: Iterable[str]) -> list[Part]:
    """The parts that were written to SLIPWAY_TIMELINE; official plugins write none."""
    return [Part(**json.loads(line)) for line in lines if line.strip()]


def spans_of(lines: Iterable[str]) -> list[Span]:
    """The spans of a trace, in the order in which they began."""
    found = []
    for line in filter(str.strip, lines):
        for resource in json.loads(line).get("resourceSpans", []):
            for scope in resource.get("scopeSpans", []):
                found += [_span(entry) for entry in scope.get("spans", [])]
    return sorted(found, key=lambda span: span.began)


def _span(entry: dict[str, object]) -> Span:
    attributes = entry.get("attributes")
    prefix = ""
    for each in attributes if isinstance(attributes, list) else []:
        # Only which plugin it is: others hold whole requests, and those may hold secrets.
        if each["key"] in ("prefix", "bin"):
            prefix = str(each["value"].get("stringValue", "")).rsplit("/", 1)[-1]
    return Span(
        str(entry["name"]),
        int(str(entry["startTimeUnixNano"])) / _NANOSECONDS,
        int(str(entry["endTimeUnixNano"])) / _NANOSECONDS,
        prefix.removeprefix("pulumi-resource-"),
    )


def changed_resources(output: str) -> list[str]:
    """The names of the resources that an update changed, in the order in which they ended."""
    return _ENDED.findall(output)


def steps_of(
    spans: Sequence[Span],
    changed: Sequence[str],
    parts: Sequence[Part] = (),
    since: float | None = None,
) -> list[Step]:
    """The timeline of one `pulumi up`; empty for another command's spans.

    Args:
        spans: of one process of the engine.
        changed: names of the changed resources in the order in which they ended, as said by the
            engine: the trace knows only that something changed.
        parts: of the changes.
        since: when the script began that ran the engine, in seconds since the epoch.
    """
    whole = _first(spans, "pulumi")
    plan, program = _first(spans, "pulumi-plan"), _first(spans, "run-program")
    if whole is None or plan is None or program is None:
        return []

    zero = whole.began if since is None else since

    def step(what: str, began: float, ended: float, kind: str = "engine") -> Step:
        return Step(what, began - zero, ended - began, kind)

    steps = [step("engine: start, reading the state", whole.began, plan.began)]
    if since is not None:
        steps.insert(0, step("scripts: set-up, local cloud, stack", since, whole.began))
    required = _first(spans, "pulumirpc.LanguageRuntime/GetRequiredPlugins")
    if required:
        steps.append(
            step("engine: which plugins the program needs", required.began, required.ended)
        )
    asked = [span for span in spans if span.name.startswith("pulumirpc.ResourceMonitor/")]
    work = [span for span in asked if span.name.endswith(("/Invoke", "/RegisterResource"))]
    running = _first(asked, "pulumirpc.ResourceMonitor/GetDeploymentInfo")
    if running:
        steps.append(step("program: Python and the SDK", program.began, running.began, "program"))
    if work:
        imports = running.began if running else program.began
        steps.append(
            step("program: imports, up to its first request", imports, work[0].began, "program")
        )
        last = max(span.ended for span in asked)
        many = sum(span.name.endswith("/RegisterResource") for span in work)
        steps.append(step(f"program: its {many} resources", work[0].began, last, "program"))
        steps.append(step("program: end", last, program.ended, "program"))
    steps += [
        step(f"plugin {span.detail}: start", span.began, span.ended, "plugin")
        for span in spans
        if span.name == "newPlugin" and program.began <= span.began
    ]
    changes = sorted(
        (
            span
            for span in spans
            if span.name in [f"pulumirpc.ResourceProvider/{change}" for change in _CHANGES]
        ),
        key=lambda span: span.ended,
    )
    names = [*changed, *[""] * len(changes)]
    for span, name in zip(changes, names, strict=False):
        what = f"{span.name.rsplit('/', 1)[-1].lower()} {name}".strip()
        steps.append(step(what, span.began, span.ended, "remote"))
    steps += [
        step(f"{part.what} {part.resource}", part.began, part.ended, part.what) for part in parts
    ]
    steps.append(step("engine: end, writing the state", program.ended, whole.ended))
    return sorted(steps, key=lambda each: each.at)


def _first(spans: Iterable[Span], name: str) -> Span | None:
    return next((span for span in spans if span.name == name), None)


def as_table(steps: Sequence[Step]) -> str:
    """Text with a bar for each step; times in milliseconds."""
    if not steps:
        return ""
    whole = max(step.at + step.seconds for step in steps) or 1.0
    width = 40
    lines = [f"{'at ms':>7} {'ms':>6}"]
    for step in steps:
        before = round(step.at / whole * width)
        length = max(1, round(step.seconds / whole * width))
        bar = (" " * before + "█" * length)[:width]
        lines.append(
            f"{step.at * 1000:7.0f} {step.seconds * 1000:6.0f} │{bar:{width}}│ {step.what}"
        )
    return "\n".join(lines)
