"""Contenders beside each other: samples, the goals of Slipway among them, and their table; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.results import shown

_PLACE = re.compile(r"(<!-- side by side -->\n).*?(<!-- /side by side -->)", re.DOTALL)
Medians = Mapping[str, float]
"""By contender."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The samples of one figure of one case for one contender on so many web servers."""

    case: str
    does: str
    figure: str
    unit: str
    contender: str
    hosts: int
    samples: tuple[float, ...]
    measured_at: str
    commit: str

    @property
    def median(self) -> float:
        return median(self.samples)

    @property
    def what(self) -> tuple[str, str, int]:
        """What has to be the same to be beside each other."""
        return self.case, self.figure, self.hosts

    def to_dict(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "samples": list(self.samples),
            "median": self.median,
            "lowest": min(self.samples),
            "highest": max(self.samples),
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Compared:
        own = {key: value for key, value in entry.items() if key in cls.__dataclass_fields__}
        return cls(**{**own, "samples": tuple(entry["samples"])})


def rotated(names: Sequence[str], turn: int) -> list[str]:
    """All of them, with another one first at each turn: nobody always has the same one before."""
    at = turn % len(names)
    return [*names[at:], *names[:at]]


# Goals

PEERS = ("ansible", "pyinfra", "fabric")


@dataclass(frozen=True)
class Goal:
    """What Slipway's median is to be at most, by those of the others in the same run."""

    case: str
    figure: str
    text: str
    limit: Callable[[Medians], float]
    """Raises KeyError where a contender that it needs was not measured."""
    hosts: int | None = None
    """On so many; None for any number."""

    def fits(self, what: tuple[str, str, int]) -> bool:
        return (self.case, self.figure) == what[:2] and self.hosts in (None, what[2])


def _fastest_peer(medians: Medians) -> float:
    return min(medians[peer] for peer in PEERS)


GOALS = (
    Goal("nothing", "seconds", "less than each peer", _fastest_peer),
    Goal(
        "code",
        "seconds",
        "at most 0.5x ansible and 1.3x pyinfra",
        lambda medians: min(0.5 * medians["ansible"], 1.3 * medians["pyinfra"]),
        hosts=1,
    ),
    Goal("code", "seconds", "less than each peer", _fastest_peer, hosts=8),
    Goal("rollback", "seconds", "less than each peer", _fastest_peer),
    Goal(
        "sixty", "seconds", "at most 0.2x each peer", lambda medians: 0.2 * _fastest_peer(medians)
    ),
    Goal(
        "bare",
        "seconds",
        "at most 0.8x the fastest peer",
        lambda medians: 0.8 * _fastest_peer(medians),
    ),
    Goal("visitors", "failed", "0", lambda _: 0.0),
)


def verdict(what: tuple[str, str, int], medians: Medians) -> tuple[str, str]:
    """The goal in words, and whether it is met: "yes", "**no**", or nothing."""
    for goal in GOALS:
        if goal.fits(what) and "slipway" in medians:
            try:
                met = medians["slipway"] <= goal.limit(medians)
            except KeyError:
                return goal.text, ""
            return goal.text, "yes" if met else "**no**"
    return "", ""


# The file and the table


def merged(earlier: Sequence[Compared], measured: Sequence[Compared]) -> list[Compared]:
    """Measured now; and of what was not, what was measured before, unless on another machine."""
    now = {each.what for each in measured}
    return [*measured, *(each for each in earlier if each.what not in now)]


def in_order(
    compared: Sequence[Compared], cases: Sequence[str], contenders: Sequence[str]
) -> list[Compared]:
    """By number of servers, then case, then contender; what is no more is left out."""
    known = [each for each in compared if each.case in cases and each.contender in contenders]
    return sorted(
        known,
        key=lambda each: (each.hosts, cases.index(each.case), contenders.index(each.contender)),
    )


def beside_each_other(compared: Sequence[Compared]) -> dict[tuple[str, str, int], list[Compared]]:
    """By case, figure and number of servers, in the order in which they come."""
    found: dict[tuple[str, str, int], list[Compared]] = {}
    for each in compared:
        found.setdefault(each.what, []).append(each)
    return found


def table(compared: Sequence[Compared], contenders: Sequence[str]) -> str:
    """Markdown: a column for each contender, with the median and the lowest and highest."""
    lines = [
        f"| case | servers | what | {' | '.join(contenders)} | goal | met |",
        f"|---|---|---|{'---|' * len(contenders)}---|---|",
    ]
    for (case, figure, hosts), row in beside_each_other(compared).items():
        cells = {each.contender: _cell(each) for each in row}
        medians = {each.contender: each.median for each in row}
        goal, met = verdict((case, figure, hosts), medians)
        does = row[0].does if figure == "seconds" else f"{row[0].does}: {figure}"
        columns = " | ".join(cells.get(name, "") for name in contenders)
        lines.append(f"| `{case}` | {hosts} | {does} | {columns} | {goal} | {met} |")
    return "\n".join(lines) + "\n"


def _cell(each: Compared) -> str:
    spread = ""
    if len(set(each.samples)) > 1:
        spread = f" ({shown(min(each.samples), '')} to {shown(max(each.samples), '')})"
    return f"{shown(each.median, each.unit)}{spread}"


def with_comparison(text: str, inside: str) -> str:
    """A document with the comparison between its markers."""
    return _PLACE.sub(lambda found: found[1] + inside + found[2], text)
