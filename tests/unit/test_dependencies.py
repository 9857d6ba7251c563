"""The packages an application needs: one requirements.txt, from whatever the project has."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.core.errors import SlipwayError
from components.release import dependencies
from tests.unit.python_packages import lock, project_in, wheel


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    for version in ("1.0", "2.0"):
        wheel(folder, "tiny", version)
    wheel(folder, "other_one", "1.0")
    return folder


@pytest.fixture
def project(tmp_path: Path, wheels: Path) -> Path:
    """It needs tiny, and is locked."""
    folder = project_in(tmp_path / "project", "tiny")
    lock(folder, wheels)
    return folder


def complaint(folder: Path) -> str:
    with pytest.raises(SlipwayError) as caught:
        dependencies.of_folder(folder)
    return str(caught.value)


def test_a_requirements_txt_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n")
    assert dependencies.of_folder(tmp_path) is None


def test_a_pyproject_toml_beside_it_may_be_there_for_other_tools(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n")
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n")
    assert dependencies.of_folder(tmp_path) is None


def test_a_lock_becomes_a_requirements_txt(project: Path) -> None:
    assert dependencies.of_folder(project) == b"tiny==2.0\n"


def test_what_is_only_for_development_stays_out(tmp_path: Path, wheels: Path) -> None:
    more = '[dependency-groups]\ndev = ["other-one"]\n'
    folder = project_in(tmp_path / "project", "tiny", more=more)
    lock(folder, wheels)
    assert dependencies.of_folder(folder) == b"tiny==2.0\n"


def test_the_folder_is_left_as_it_was(project: Path) -> None:
    before = sorted(project.rglob("*"))
    dependencies.of_folder(project)
    assert sorted(project.rglob("*")) == before


def test_a_lock_of_another_registry_than_this_machines_is_good(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    assert dependencies.of_folder(project) == b"tiny==2.0\n"


def test_a_lock_that_is_older_than_pyproject_toml_is_refused(project: Path) -> None:
    project_in(project, "tiny<2")
    told = complaint(project)
    assert f"{project / 'uv.lock'}: not up to date with pyproject.toml: run `uv lock` there" in told


def test_a_lock_that_is_broken_is_named(project: Path) -> None:
    (project / "uv.lock").write_text("<<<<<<< HEAD\n")
    assert f"{project / 'uv.lock'}: not valid TOML" in complaint(project)


def test_a_lock_alone_is_refused(project: Path) -> None:
    (project / "pyproject.toml").unlink()
    assert "there is no pyproject.toml beside it" in complaint(project)


@pytest.mark.parametrize("own", ["tiny==2.0\n", "tiny\n", "# by hand\nTiny == 2.0  # why\n", ""])
def test_both_may_be_there_when_they_agree(project: Path, own: str) -> None:
    (project / "requirements.txt").write_text(own)
    assert dependencies.of_folder(project) == b"tiny==2.0\n"


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("tiny==1.0\n", "contradict each other on tiny: requirements.txt says 1.0, uv.lock 2.0"),
        ("tiny\nOther_One\n", "contradict each other on other-one: uv.lock does not have it"),
    ],
)
def test_two_that_contradict_each_other_are_refused(project: Path, own: str, said: str) -> None:
    (project / "requirements.txt").write_text(own)
    assert said in complaint(project)


def test_packages_that_nobody_locked_are_refused(tmp_path: Path) -> None:
    told = complaint(project_in(tmp_path, "tiny"))
    assert "its packages are not locked" in told
    assert "slipway:appSource" in told


def test_a_folder_that_says_nothing_is_refused(tmp_path: Path) -> None:
    assert "there must be requirements.txt (it may be empty), or pyproject.toml" in complaint(
        tmp_path
    )


def test_a_package_may_leave_versions_to_its_own_metadata(tmp_path: Path, project: Path) -> None:
    assert dependencies.of_package(project_in(tmp_path / "open", "tiny")) == b""
    assert dependencies.of_package(project) == b"tiny==2.0\n"
    (tmp_path / "open" / "requirements.txt").write_text("tiny==1.0\n")
    assert dependencies.of_package(tmp_path / "open") == b"tiny==1.0\n"
