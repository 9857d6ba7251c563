"""The timeline of an update as a drawing; pure."""

from __future__ import annotations

from collections.abc import Sequence

from cli.timeline.svg import colour, svg, text
from cli.timeline.timeline import Step

WIDTH, LEFT, RIGHT = 1000, 300, 70
TOP, ROW, BOTTOM = 44, 18, 24
KINDS = ("engine", "program", "plugin", "remote", "connect", "transfer", "command")
#: Within a change: its parts are drawn in one line with it.
PARTS = KINDS[4:]


def drawing(title: str, steps: Sequence[Step]) -> str:
    """A row for each step, from left to right as time goes; the parts of a change under it.

    Args:
        title: says what it is of.
        steps: as `timeline.steps_of` gives them.
    """
    whole = max((step.at + step.seconds for step in steps), default=0.0) or 1.0
    scale = (WIDTH - LEFT - RIGHT) / whole
    height = TOP + ROW * len(steps) + BOTTOM
    parts = [text(0, 16, title, "title"), *_legend()]
    tick = next(each for each in (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300) if whole / each <= 14)
    for number in range(int(whole / tick) + 1):
        x = LEFT + number * tick * scale
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP}V{height - BOTTOM}"/>')
        parts.append(text(x, height - 8, f"{number * tick:g} s", anchor="middle"))
    for row, step in enumerate(steps):
        y = TOP + row * ROW
        x, length = LEFT + step.at * scale, max(step.seconds * scale, 1)
        thin = step.kind in PARTS
        parts.append(text(LEFT - 8, y + 13, step.what, anchor="end"))
        parts.append(
            f'<rect x="{x:.1f}" y="{y + (5 if thin else 3)}" width="{length:.1f}"'
            f' height="{ROW - (10 if thin else 6)}" fill="{_colour(step.kind)}"/>'
        )
        parts.append(text(x + length + 4, y + 13, f"{step.seconds * 1000:.0f} ms"))
    return svg(WIDTH, height, parts)


def _legend() -> list[str]:
    drawn = []
    for number, kind in enumerate(KINDS):
        x = LEFT + number * 90
        drawn.append(f'<rect x="{x}" y="24" width="10" height="10" fill="{_colour(kind)}"/>')
        drawn.append(text(x + 14, 33, kind))
    return drawn


def _colour(kind: str) -> str:
    return colour(_COLOURS.get(kind, 4))


_COLOURS = {
    "engine": 4,
    "program": 0,
    "plugin": 2,
    "remote": 3,
    "connect": 5,
    "transfer": 1,
    "command": 3,
}
