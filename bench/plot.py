"""Plots as SVG, readable on light and dark; pure. No library that is locked draws any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10

from cli.timeline.svg import colour, svg, text

WIDTH = 760
LEFT, RIGHT = 200, 90
BAR, GAP, TITLE = 16, 14, 22


@dataclass(frozen=True)
class Bar:
    """A length with what it says beside it; `lowest` and `highest` are drawn as its spread."""

    label: str
    value: float
    lowest: float
    highest: float
    text: str
    colour: int = 0


def bars(groups: Mapping[str, Sequence[Bar]]) -> str:
    """Horizontal bars under a title for each group; each group has a scale of its own."""
    parts: list[str] = []
    y = 0
    for title, group in groups.items():
        y += TITLE
        parts.append(text(0, y, title, "title"))
        y += 6
        largest = max((bar.highest for bar in group), default=0) or 1
        scale = (WIDTH - LEFT - RIGHT) / largest
        for bar in group:
            length = bar.value * scale
            middle = y + BAR / 2
            parts.append(text(LEFT - 8, middle + 4, bar.label, anchor="end"))
            parts.append(
                f'<rect x="{LEFT}" y="{y + 2}" width="{max(length, 1):.1f}" height="{BAR - 4}"'
                f' fill="{colour(bar.colour)}"/>'
            )
            if bar.highest > bar.lowest:
                parts.append(
                    f'<path class="spread" fill="none" d="M{LEFT + bar.lowest * scale:.1f}'
                    f' {middle}H{LEFT + bar.highest * scale:.1f}"/>'
                )
            end = LEFT + max(length, bar.highest * scale)
            parts.append(text(end + 6, middle + 4, bar.text))
            y += BAR
        y += GAP
    return svg(WIDTH, y, parts)


@dataclass(frozen=True)
class Line:
    """Points of (x, y), in the order of x."""

    label: str
    points: Sequence[tuple[float, float]]
    colour: int = 0


def lines(title: str, across: str, up: str, drawn: Sequence[Line]) -> str:
    """Lines over a common scale from 0; what each is stands at its end."""
    height, top, bottom = 320, 46, 40
    left, right = 60, 110
    most_x = max((x for line in drawn for x, _ in line.points), default=1) or 1
    steps = scale_of(max((y for line in drawn for _, y in line.points), default=1))
    across_pixels, up_pixels = WIDTH - left - right, height - top - bottom

    def place(x: float, y: float) -> tuple[float, float]:
        return left + x / most_x * across_pixels, height - bottom - y / steps[-1] * up_pixels

    parts = [text(0, 18, title, "title"), text(0, 36, up)]
    for step in steps:
        _, y = place(0, step)
        parts.append(f'<path class="grid" d="M{left} {y:.1f}H{WIDTH - right}"/>')
        parts.append(text(left - 8, y + 4, f"{step:g}", anchor="end"))
    for x in sorted({x for line in drawn for x, _ in line.points}):
        parts.append(text(place(x, 0)[0], height - bottom + 18, f"{x:g}", anchor="middle"))
    parts.append(text(left + across_pixels / 2, height - 4, across, anchor="middle"))
    taken: list[float] = []
    for line in sorted(drawn, key=lambda each: -each.points[-1][1]):
        places = [place(*point) for point in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour(line.colour)}"'
            ' stroke-width="2"/>'
        )
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour(line.colour)}"/>'
            for x, y in places
        ]
        # Lines that end at the same height still get a name each.
        name_at = max([places[-1][1] + 4, *(each + 14 for each in taken[-1:])])
        taken.append(name_at)
        parts.append(text(places[-1][0] + 8, name_at, line.label))
    return svg(WIDTH, height, parts)


def scale_of(largest: float) -> list[float]:
    """Round numbers from 0 to at least the largest one, four to eleven of them."""
    rough = (largest or 1) / 5
    power = 10 ** floor(log10(rough))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough)
    return [number * step for number in range(ceil(largest / step) + 1)]
