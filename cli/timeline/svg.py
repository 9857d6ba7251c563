"""A drawing as SVG, readable on light and on dark ground; pure."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

#: Told apart also by whoever sees few colours, and of a contrast that does for both grounds.
COLOURS = ("#2f7ed8", "#d9822b", "#8e5bc0", "#2a9d6f", "#8a8f98", "#c0504d")
_STYLE = """\
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.spread { stroke: #57606a; }
.grid { stroke: #d0d7de; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .spread { stroke: #9198a1; }
  .grid { stroke: #3d444d; }
}
"""


def colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def svg(width: float, height: float, parts: Sequence[str]) -> str:
    """A whole document around what is drawn; lengths in pixels."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}"'
        f' width="{width:g}" height="{height:g}">\n<style>\n{_STYLE}</style>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def text(x: float, y: float, said: str, kind: str = "", anchor: str = "start") -> str:
    """A line of text; `kind` is a class of the style."""
    style = f' class="{kind}"' if kind else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(said)}</text>'
