"""The README and docs/ say what is."""

from __future__ import annotations

import re

from cli.paths import ROOT
from tests.end_to_end import (
    documents,
    test_4_app_servers,
    test_5_readme,
    test_7_template,
    test_8_a_second_clone,
)

# These type some of the commands where their environment is already as it has to be.
ELSEWHERE = (test_4_app_servers, test_7_template, test_8_a_second_clone)

TYPED = test_5_readme.TYPED | set(test_5_readme.LEFT_OUT)


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
