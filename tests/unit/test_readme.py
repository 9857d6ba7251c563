"""The README says what is."""

from __future__ import annotations

from scripts.commands.engine import ROOT
from scripts.commands.settings_table import with_table


def test_the_table_of_settings_is_that_of_the_project_file() -> None:
    readme = (ROOT / "README.md").read_text()
    assert with_table(readme) == readme, "run: python3 -m scripts.commands.settings_table"
