"""Samples become figures, a file and a table; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

_PLACE = re.compile(r"(<!-- results -->\n).*?(<!-- /results -->)", re.DOTALL)
# What makes two machines the same for our purpose.
MACHINE = ("cores", "memory_mb", "processor", "kernel")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """What is measured of a case; `goal` is the largest good median, None where there is none."""

    name: str
    unit: str
    goal: float | None


@dataclass(frozen=True, kw_only=True)
class Result:
    """The samples of one figure of one case, in the order in which they were taken."""

    case: str
    does: str
    figure: Figure
    samples: tuple[float, ...]
    measured_at: str
    """ISO 8601 in UTC."""
    commit: str

    @property
    def median(self) -> float:
        return median(self.samples)

    @property
    def met(self) -> bool | None:
        return None if self.figure.goal is None else self.median <= self.figure.goal

    def to_dict(self) -> dict[str, Any]:
        """For `bench/results.json`; what can be computed is there too, for other readers."""
        computed = {
            "median": self.median,
            "lowest": min(self.samples),
            "highest": max(self.samples),
            "met": self.met,
        }
        return {**asdict(self), "samples": list(self.samples), **computed}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Result:
        return cls(
            case=entry["case"],
            does=entry["does"],
            figure=Figure(**entry["figure"]),
            samples=tuple(entry["samples"]),
            measured_at=entry["measured_at"],
            commit=entry["commit"],
        )


def document(machine: Mapping[str, Any], results: Sequence[Result]) -> dict[str, Any]:
    """What `bench/results.json` holds."""
    return {"machine": dict(machine), "results": [result.to_dict() for result in results]}


def merged(
    earlier: Mapping[str, Any] | None, machine: Mapping[str, Any], measured: Sequence[Result]
) -> list[Result]:
    """Measured now, and of cases that were not: what was measured on this machine before."""
    before = [Result.from_dict(entry) for entry in (earlier or {}).get("results", [])]
    if earlier is not None and any(earlier["machine"].get(k) != machine.get(k) for k in MACHINE):
        before = []
    now = {result.case for result in measured}
    return [*measured, *(result for result in before if result.case not in now)]


def in_order(results: Sequence[Result], cases: Sequence[str]) -> list[Result]:
    """By the order of the cases; a case that is no more is left out."""
    known = [result for result in results if result.case in cases]
    return sorted(known, key=lambda result: cases.index(result.case))


def table(results: Sequence[Result]) -> str:
    """Markdown; one row a figure."""
    lines = [
        "| case | what | median | lowest to highest | runs | goal | met |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in results:
        figure = result.figure
        what = result.does if figure.name == "seconds" else f"{result.does}: {figure.name}"
        goal = "" if figure.goal is None else f"at most {shown(figure.goal, figure.unit)}"
        met = {True: "yes", False: "**no**", None: ""}[result.met]
        spread = f"{shown(min(result.samples), '')} to {shown(max(result.samples), figure.unit)}"
        lines.append(
            f"| `{result.case}` | {what} | {shown(result.median, figure.unit)} | {spread}"
            f" | {len(result.samples)} | {goal} | {met} |"
        )
    return "\n".join(lines) + "\n"


def shown(value: float, unit: str) -> str:
    """Two digits after the point below 100 where they matter, none for counts and large numbers."""
    text = f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.2f}"
    return f"{text} {unit}".strip()


def machine_line(machine: Mapping[str, Any]) -> str:
    """The machine in a sentence, under the table."""
    return (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_mb']} MB,"
        f" {machine['system']}, kernel {machine['kernel']}; Python {machine['python']},"
        f" pulumi {machine['pulumi']}, provider plugins: {machine['plugins']};"
        f" load before: {machine['load_before']:.1f}.\n"
    )


def with_results(text: str, machine: Mapping[str, Any], results: Sequence[Result]) -> str:
    """A document with the table between its markers."""
    days = sorted({result.measured_at[:10] for result in results})
    when = f"Measured {' to '.join(dict.fromkeys((days[0], days[-1])))} on "
    inside = f"{table(results)}\n{when}{machine_line(machine)}"
    return _PLACE.sub(lambda found: found[1] + inside + found[2], text)
