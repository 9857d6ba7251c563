"""Whose change it is: the name changes with the change, not with whoever looks after it."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from components.release import performer
from components.settings import load
from components.settings.settings import Settings
from tests.unit.test_settings import DEFAULTS

RELEASE = "a" * 12


def of(**changed: object) -> Settings:
    return load.parse({**DEFAULTS, **changed})


@pytest.fixture(autouse=True)
def ada(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_BY", "ada@laptop")


def grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_BY", "grace@desk")


def test_the_first_update_is_of_whoever_runs_it() -> None:
    assert performer.of_update(of(), [RELEASE], None).by == "ada@laptop"


def test_an_update_that_wants_the_same_is_not_of_whoever_runs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = performer.of_update(of(), [RELEASE], None)
    grace(monkeypatch)
    assert performer.of_update(of(), [RELEASE], first.to_dict()) == first


@pytest.mark.parametrize(
    ("release", "setting"),
    [("b" * 12, {}), (RELEASE, {"webPort": 81}), (RELEASE, {"release": RELEASE})],
)
def test_who_wants_something_else_is_the_one_who_changes_it(
    monkeypatch: pytest.MonkeyPatch, release: str, setting: dict[str, object]
) -> None:
    first = performer.of_update(of(), [RELEASE], None)
    grace(monkeypatch)
    assert performer.of_update(of(**setting), [release], first.to_dict()).by == "grace@desk"


def test_a_new_version_of_the_program_is_a_change_too(tmp_path: Path) -> None:
    source = tmp_path / "nginx-site.conf"
    source.write_text("one")
    before = performer.digest(of(), RELEASE, [source])
    assert performer.digest(of(), RELEASE, [source]) == before
    source.write_text("two")
    assert performer.digest(of(), RELEASE, [source]) != before


@pytest.mark.parametrize("earlier", [None, {}, [], "x", {"by": "x"}, {"by": 1, "digest": "x"}])
def test_outputs_of_another_version_are_no_obstacle(earlier: object) -> None:
    assert performer.of_update(of(), [RELEASE], earlier).by == "ada@laptop"


def test_without_a_word_it_is_the_user_at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLIPWAY_BY")
    monkeypatch.setenv("LOGNAME", "grace")
    assert performer.current_performer() == f"grace@{socket.gethostname().split('.')[0]}"


@pytest.mark.parametrize("said", ["a'b\n\"c@$(d)", "@", " ", "é@ü", "x" * 500])
def test_a_name_goes_into_any_file_and_shell_as_it_is(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    monkeypatch.setenv("SLIPWAY_BY", said)
    assert re.fullmatch(r"[\w.+@-]{1,100}", performer.current_performer())


def test_a_template_of_ones_own_is_part_of_what_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(performer, "ROOT", tmp_path)
    (tmp_path / "templates" / "own").mkdir(parents=True)
    before = performer.of_update(of(), [RELEASE], None).digest
    (tmp_path / "templates" / "own" / "sshd.conf").write_text("mine\n")
    assert performer.of_update(of(), [RELEASE], None).digest != before
