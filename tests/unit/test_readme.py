"""The README and docs/ say what is."""

from __future__ import annotations

import re
import tomllib

from cli.paths import ROOT
from tests import documents, typed
from tests.app_servers import test_1_app_servers
from tests.end_to_end import test_5_readme, test_6_second_clone
from tests.pipeline import test_template
from tests.unit import test_upgrade_of_this_repository

# Their import says which commands they type.
TYPING = (
    test_1_app_servers,
    test_5_readme,
    test_6_second_clone,
    test_template,
    test_upgrade_of_this_repository,
)

TYPED = typed.TYPED | set(typed.LEFT_OUT)


def test_every_command_of_the_documents_is_typed_by_a_test() -> None:
    missing = documents.commands() - TYPED
    assert not missing, "say in tests/end_to_end/test_5_readme.py what these do"


def test_no_test_types_what_the_documents_do_not_say() -> None:
    assert not TYPED - documents.commands()


def test_a_new_command_would_be_noticed() -> None:
    block = "scripts/up local   # why\n# a comment\n\nscripts/one \\\n  two\n"
    text = f"Text `not this`\n\n```sh\n{block}```\n"
    assert documents.in_blocks(text) == {"scripts/up local", "scripts/one    two"}
    table = "\n## Daily use\n\n| To | Type |\n|---|---|\n| `a` | `b`, or `c <id>` |\n\n## More\n"
    assert documents.in_daily_use(table) == {"b", "c <id>"}
    table = "| you typed | now |\n|---|---|\n| `a` | `scripts/up local`, or `b` |\n\n`scripts/x`\n"
    assert documents.in_place_of_others(
        f"{table}\n| you had | now |\n|---|---|\n| `c` | `d` |\n"
    ) == {"scripts/up local"}


def test_the_newest_version_of_the_changelog_is_that_of_the_project() -> None:
    """scripts/upgrade names a version by the one, and says what is new in it by the other."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    headings = re.findall(r"(?m)^## (.*)$", (ROOT / "CHANGELOG.md").read_text())
    assert headings[0] == "Unreleased"
    assert re.fullmatch(rf"{re.escape(version)} - \d{{4}}-\d\d-\d\d", headings[1])


def test_every_link_within_the_project_leads_somewhere() -> None:
    for document in [*documents.DOCUMENTS, ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_every_script_that_is_named_exists() -> None:
    for document in [*documents.DOCUMENTS, ROOT / "CONTRIBUTING.md"]:
        for name in re.findall(
            r"`(scripts/[a-z-]+|tests/[a-z_]+|docs/[a-z-]+\.md|(?:app|components|templates)/[\w./-]+)\b",
            document.read_text(),
        ):
            assert (ROOT / name).exists(), f"{document.name}: {name}"
