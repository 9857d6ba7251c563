"""What a comparison leaves: its part of results.json, its table, its plots."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import comparison, plot, results
from bench.comparison import Compared
from bench.contenders import NAMES
from bench.plot import Bar, Line
from bench.results import shown
from bench.side_by_side import NAMES as CASES
from bench.site import ROOT

RESULTS = ROOT / "bench" / "results.json"
DOCUMENT = ROOT / "docs" / "performance.md"
PLOTS = ROOT / "docs" / "performance"
KEY = "side_by_side"


def keep(machine: Mapping[str, Any], measured: Sequence[Compared]) -> list[Path]:
    """Write all of them, with what was measured before on this machine; returns the files."""
    document = json.loads(RESULTS.read_text())
    before = document.get(KEY) or {"machine": machine, "compared": []}
    same = all(before["machine"].get(key) == machine.get(key) for key in results.MACHINE)
    earlier = [Compared.from_dict(each) for each in before["compared"]] if same else []
    everything = ordered(comparison.merged(earlier, measured))
    document[KEY] = {
        "machine": dict(machine),
        "compared": [each.to_dict() for each in everything],
    }
    RESULTS.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    text = comparison.with_comparison(DOCUMENT.read_text(), inside(machine, everything))
    DOCUMENT.write_text(text)
    PLOTS.mkdir(exist_ok=True)
    files = [RESULTS, DOCUMENT]
    for name, drawn in plots(everything).items():
        (PLOTS / name).write_text(drawn)
        files.append(PLOTS / name)
    return files


def ordered(compared: Sequence[Compared]) -> list[Compared]:
    return comparison.in_order(compared, CASES, NAMES)


def inside(machine: Mapping[str, Any], compared: Sequence[Compared]) -> str:
    """What stands between the markers of the document."""
    present = [name for name in NAMES if any(each.contender == name for each in compared)]
    days = sorted({each.measured_at[:10] for each in compared})
    when = " to ".join(dict.fromkeys((days[0], days[-1])))
    versions = ", ".join(f"{name} {each}" for name, each in machine["versions"].items())
    pictures = "".join(f"![{_described(name)}](performance/{name})\n\n" for name in plots(compared))
    return (
        f"{comparison.table(compared, present)}\n"
        "Median (lowest to highest); without these it is a single run. Measured "
        f"{when} with {versions}, on {results.machine_line(machine)}\n{pictures}"
    )


def _described(name: str) -> str:
    return name.removesuffix(".svg").replace("-", " ")


def plots(compared: Sequence[Compared]) -> dict[str, str]:
    """By file name: bars for each number of servers, and lines for what grows."""
    drawn: dict[str, str] = {}
    for size in sorted({each.hosts for each in compared}):
        rows = [each for each in compared if each.hosts == size and each.case != "growth"]
        groups = {
            f"{row[0].does}{'' if figure == 'seconds' else ': ' + figure}": [
                _bar(each) for each in row
            ]
            for (_, figure, _), row in comparison.beside_each_other(rows).items()
        }
        servers = "1-server" if size == 1 else f"{size}-servers"
        if groups:
            drawn[f"side-by-side-on-{servers}.svg"] = plot.bars(groups)
    sizes = [each for each in compared if (each.case, each.figure) == ("code", "seconds")]
    if len({each.hosts for each in sizes}) > 1:
        points = {name: _points(sizes, name) for name in NAMES}
        drawn["a-release-on-more-servers.svg"] = _lines(
            "A code-only release on more servers", "servers", points
        )
    grown = [each for each in compared if each.case == "growth" and each.figure.endswith(" MB")]
    if grown:
        points = {
            name: sorted(
                (float(each.figure.split()[0]), each.median)
                for each in grown
                if each.contender == name
            )
            for name in NAMES
        }
        drawn["a-release-that-grows.svg"] = _lines(
            "A code-only release of a larger application", "MB more", points
        )
    return drawn


def _bar(each: Compared) -> Bar:
    return Bar(
        label=each.contender,
        value=each.median,
        lowest=min(each.samples),
        highest=max(each.samples),
        text=shown(each.median, each.unit),
        colour=NAMES.index(each.contender),
    )


def _points(compared: Sequence[Compared], who: str) -> list[tuple[float, float]]:
    return sorted((float(each.hosts), each.median) for each in compared if each.contender == who)


def _lines(title: str, across: str, points: Mapping[str, list[tuple[float, float]]]) -> str:
    drawn = [
        Line(name, found, NAMES.index(name)) for name, found in points.items() if len(found) > 1
    ]
    return plot.lines(title, across, "seconds", drawn)
