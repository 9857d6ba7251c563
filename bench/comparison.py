"""Contenders beside each other: samples, the goals of Slipway among them, and their table; pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench.results import shown

_PLACE = re.compile(r"(<!-- side by side -->\n).*?(<!-- /side by side -->)", re.DOTALL)
What = tuple[str, str, int]
"""Case, figure, number of servers: what has to be the same to be beside each other."""
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
    def what(self) -> What:
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
    """What Slipway's median is to be at most, by other medians of the same run."""

    case: str
    figure: str
    text: str
    limit: Callable[[What, Mapping[What, Medians]], float]
    """Raises KeyError where something that it needs was not measured."""
    hosts: int | None = None
    """On so many; None for any number."""

    def fits(self, what: What) -> bool:
        return (self.case, self.figure) == what[:2] and self.hosts in (None, what[2])


def _fastest_peer(what: What, medians: Mapping[What, Medians], share: float = 1) -> float:
    return share * min(medians[what][peer] for peer in PEERS)


def _its_own(what: What, medians: Mapping[What, Medians], times: float) -> float:
    return times * medians[what]["slipway"]


GOALS = (
    Goal(
        "nothing",
        "seconds",
        "less than each peer, and 1.1 s + 5% a server",
        lambda what, medians: min(_fastest_peer(what, medians), 1.1 * (1 + 0.05 * what[2])),
    ),
    Goal(
        "code",
        "seconds",
        "at most 0.5x ansible and 1.3x pyinfra",
        lambda what, medians: min(0.5 * medians[what]["ansible"], 1.3 * medians[what]["pyinfra"]),
        hosts=1,
    ),
    Goal("code", "seconds", "less than each peer", _fastest_peer, hosts=8),
    Goal(
        "code",
        "seconds",
        "at most 2.5x its own on 1",
        lambda _, medians: _its_own(("code", "seconds", 1), medians, 2.5),
        hosts=16,
    ),
    Goal("rollback", "seconds", "less than each peer", _fastest_peer),
    Goal(
        "sixty",
        "seconds",
        "at most 0.2x each peer",
        lambda what, medians: _fastest_peer(what, medians, 0.2),
    ),
    Goal(
        "bare",
        "seconds",
        "at most 0.8x the fastest peer",
        lambda what, medians: _fastest_peer(what, medians, 0.8),
    ),
    Goal(
        "past",
        "after 500",
        "at most 1.1x after 5",
        lambda what, medians: _its_own(("past", "after 5", what[2]), medians, 1.1),
    ),
    Goal("visitors", "failed", "0", lambda *_: 0.0),
)


def verdict(what: What, medians: Mapping[What, Medians]) -> tuple[str, str]:
    """The goal in words, and whether it is met: "yes", "**no**", or nothing."""
    for goal in GOALS:
        if goal.fits(what) and "slipway" in medians[what]:
            try:
                met = medians[what]["slipway"] <= goal.limit(what, medians)
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


def beside_each_other(compared: Sequence[Compared]) -> dict[What, list[Compared]]:
    """By case, figure and number of servers, in the order in which they come."""
    found: dict[What, list[Compared]] = {}
    for each in compared:
        found.setdefault(each.what, []).append(each)
    return found


def table(compared: Sequence[Compared], contenders: Sequence[str]) -> str:
    """Markdown: a column for each contender, with the median and the lowest and highest."""
    lines = [
        f"| case | servers | what | {' | '.join(contenders)} | goal | met |",
        f"|---|---|---|{'---|' * len(contenders)}---|---|",
    ]
    rows = beside_each_other(compared)
    medians = {what: {each.contender: each.median for each in row} for what, row in rows.items()}
    for (case, figure, hosts), row in rows.items():
        cells = {each.contender: _cell(each) for each in row}
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
