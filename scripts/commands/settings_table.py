"""Write the settings of Pulumi.yaml into the README: `-m scripts.commands.settings_table`."""

from __future__ import annotations

import re

import yaml

from scripts.commands.engine import ROOT

_PLACE = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)


def table() -> str:
    """Markdown; one row a setting, in the order of the file."""
    settings = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    rows = [
        f"| `{name}` | {each['type']} | {_shown(each['default'])} | {each['description']} |"
        for name, each in settings.items()
    ]
    return "\n".join(["| setting | type | default | what it is |", "|---|---|---|---|", *rows, ""])


def _shown(default: object) -> str:
    if default == "":
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def with_table(readme: str) -> str:
    return _PLACE.sub(lambda found: found[1] + table() + found[2], readme)


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(with_table(path.read_text()))
