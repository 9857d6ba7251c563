"""Texts that an upgrade reads and writes: CHANGELOG.md, Pulumi.yaml, .upstream.toml."""

from __future__ import annotations

import pytest

from cli.console import CommandError
from cli.upgrade import changelog, own, pulumi_yaml, upstream
from cli.upgrade.git import refuse_old_git
from cli.upgrade.upstream import Record
from tests.unit.upgrade_repositories import AS_PULUMI_NEW_WRITES, PULUMI_YAML

OLDER = """\
# Changelog

## Unreleased

### Added

- One, which
  goes on.

## 0.1.0 - 2026-11-27

### Added

- The first.
"""


def test_an_entry_that_got_a_version_since_is_not_new() -> None:
    newer = OLDER.replace("## Unreleased", "## 0.2.0 - 2026-12-01")
    assert changelog.between(OLDER, newer) == ""
    newer = newer.replace("  goes on.\n", "  goes on.\n- Two.\n")
    assert changelog.between(OLDER, newer) == "## 0.2.0 - 2026-12-01\n\n### Added\n- Two."


def test_new_entries_of_several_versions_stand_below_their_own() -> None:
    more = "## Unreleased\n\n### Fixed\n\n- Three.\n\n## 0.2.0\n\n### Added\n\n- Two.\n\n"
    newer = OLDER.replace("## Unreleased\n", more, 1)
    assert changelog.between(OLDER, newer) == (
        "## Unreleased\n\n### Fixed\n- Three.\n\n## 0.2.0\n\n### Added\n- Two."
    )


def test_without_a_changelog_there_is_nothing_to_say() -> None:
    assert changelog.between("", "") == ""
    assert changelog.between(OLDER, "") == ""


def test_our_pulumi_yaml_gets_the_form_of_the_project_s() -> None:
    address = "https://example.org/slipway"
    made = AS_PULUMI_NEW_WRITES.format(address=address)
    assert pulumi_yaml.as_in(made, PULUMI_YAML) == made
    assert pulumi_yaml.as_in(PULUMI_YAML, PULUMI_YAML) == PULUMI_YAML
    assert pulumi_yaml.made_from(made) == address
    assert pulumi_yaml.made_from(PULUMI_YAML) == ""


def test_the_address_is_the_one_of_the_repository() -> None:
    made = AS_PULUMI_NEW_WRITES.format(address="https://example.org/ada/slipway/tree/v0.1.0")
    assert upstream.recorded("", made) == Record("https://example.org/ada/slipway")
    record = Record('git@example.org:ada/"slipway"', "0123456")
    assert upstream.recorded(upstream.record_text(record, "0.1.0"), made) == record


@pytest.mark.parametrize(
    ("path", "is_own"),
    [
        ("app/wsgi.py", True),
        ("apps/wsgi.py", False),
        ("docs/app/wsgi.py", False),
        ("Pulumi.yaml", False),
        ("Pulumi.dev.yaml", True),
        ("docs/Pulumi.dev.yaml", False),
        ("templates/own/nginx-site.conf", True),
        ("templates/nginx-site.conf", False),
    ],
)
def test_what_is_the_project_s_own(path: str, is_own: bool) -> None:
    assert own.is_own(path) == is_own


def test_a_git_that_cannot_merge_so_is_refused() -> None:
    refuse_old_git("git version 2.39.5 (Apple Git-154)")
    complaint = "git version 2.30.2 is too old: an upgrade needs 2.38 or newer"
    with pytest.raises(CommandError, match=complaint):
        refuse_old_git("git version 2.30.2")
