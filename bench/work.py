"""What every case begins and ends with: a site with nothing to do, and a check of the work."""

from __future__ import annotations

from bench.site import BenchError, Site

Values = dict[str, float]
"""What one run gave, by the name of the figure."""


def settle(site: Site) -> None:
    """Up, with nothing to do and no release held on to."""
    settings = site.folder / "Pulumi.local.yaml"
    is_held = "slipway:release:" in settings.read_text()
    site.run("sed -i '/slipway:release:/d' Pulumi.local.yaml")
    if is_held or not site.is_up:
        site.up()
    site.page()


def expect_new_release(site: Site, before: str, heading: str) -> None:
    page, known = site.page(), site.outputs()
    expect(heading in page, f"the page should show {heading}")
    expect(site.released(page) == known["release"]["id"], "page and outputs name another release")
    expect(known["previous_release"] == before, f"the release before should be {before}")


def expect(condition: bool, otherwise: str) -> None:
    """Raise `BenchError` when a case did not do its work: its time would mean nothing."""
    if not condition:
        raise BenchError(otherwise)
