"""Everything that was made can be taken away."""

from __future__ import annotations

import pytest

from tests.clone import Clone, traces

pytestmark = pytest.mark.hosts


def test_down_leaves_nothing_behind(site: Clone) -> None:
    seen = {line.split(":")[0] for line in traces(site)}
    assert seen == {"process", "mount", "interface", "namespace", "route", "firewall"}
    site.run("scripts/down local")
    assert traces(site) == []
    assert "config:" in (site.folder / "Pulumi.local.yaml").read_text(), "settings are kept"


def test_down_twice_is_fine(site: Clone) -> None:
    site.run("scripts/down local")
