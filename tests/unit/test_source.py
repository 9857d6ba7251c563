"""What a release is made from: a folder, or a package of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from components.application import entry_point
from components.core.errors import SlipwayError
from components.release import package
from components.release.dependencies import uv
from components.release.source import Source
from tests.unit.python_packages import lock, package_in, project_in, wheel


def source_of(path: Path, *, kind: str = "folder", build: str = "") -> Source:
    packages = path.parent / "packages"
    return Source.of(path, kind=kind, build_command=build, packages=packages)


def complaint(path: Path, **more: Any) -> str:
    with pytest.raises(SlipwayError) as caught:
        source_of(path, **more)
    return str(caught.value)


def packed(source: Source, folder: Path) -> dict[str, str]:
    """The files of the release by name."""
    with tarfile.open(source.pack(folder).path) as archive:
        files = {each.name: archive.extractfile(each) for each in archive if each.isreg()}
        return {name: file.read().decode() for name, file in files.items() if file}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "app"
    path.mkdir()
    (path / "wsgi.py").write_text("app = 1\n")
    (path / "requirements.txt").write_text("flask\n")
    return path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return package_in(tmp_path / "project")


def test_a_folder_is_released_as_it_is(folder: Path, tmp_path: Path) -> None:
    assert set(packed(source_of(folder), tmp_path)) == {"requirements.txt", "wsgi.py"}


def test_a_folder_with_a_lock_gets_its_requirements_from_it(tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", "tiny", "2.0")
    folder = project_in(tmp_path / "app", "tiny")
    lock(folder, tmp_path / "wheels")
    (folder / "requirements.txt").write_text("tiny  # in other words\n")
    assert packed(source_of(folder), tmp_path)["requirements.txt"] == "tiny==2.0\n"


def test_a_build_command_is_part_of_the_release(folder: Path, tmp_path: Path) -> None:
    plain, built = source_of(folder), source_of(folder, build="python build.py")
    assert json.loads(packed(built, tmp_path)[".slipway-recipe"]) == {"build": "python build.py"}
    assert len({plain.identify(), built.identify(), built.pack(tmp_path).id}) == 2
    assert built.identify() != source_of(folder, build="python build.py --all").identify()


def test_a_recipe_in_the_folder_is_not_ours(folder: Path, tmp_path: Path) -> None:
    (folder / ".slipway-recipe").write_text('{"build": "rm -rf /"}')
    assert ".slipway-recipe" not in packed(source_of(folder), tmp_path)


def test_a_package_is_built_of_the_folder_and_unpacked(project: Path, tmp_path: Path) -> None:
    source = source_of(project, kind="sdist")
    files = packed(source, tmp_path)
    assert {"PKG-INFO", "src/shop/wsgi.py", "requirements.txt"} <= set(files)
    assert json.loads(files[".slipway-recipe"]) == {"install": "sdist"}
    assert entry_point.find(source.folder, installed=source.installed) == "shop.wsgi:app"


def test_the_same_folder_gives_the_same_release(project: Path) -> None:
    first = source_of(project, kind="sdist").identify()
    shutil.rmtree(project.parent / "packages")
    time.sleep(1.1)  # archives know seconds
    assert source_of(project, kind="sdist").identify() == first
    (project / "src" / "shop" / "wsgi.py").write_text("app = 2\n")
    assert source_of(project, kind="sdist").identify() != first


def test_it_is_built_once_and_leaves_no_trace_in_the_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(project.rglob("*"))
    source_of(project, kind="sdist")
    assert sorted(project.rglob("*")) == before

    def never(*_: Any, **__: Any) -> subprocess.CompletedProcess[str]:
        raise AssertionError("built again")

    monkeypatch.setattr(package, "uv", never)
    source_of(project, kind="sdist")


def test_a_package_that_is_given_is_unpacked_too(project: Path, tmp_path: Path) -> None:
    done = uv("build", str(project), "--out-dir", str(tmp_path / "dist"))
    assert done.returncode == 0, done.stderr
    sdist, built = tmp_path / "dist/shop-1.0.tar.gz", tmp_path / "dist/shop-1.0-py3-none-any.whl"
    assert "src/shop/wsgi.py" in packed(source_of(sdist, kind="sdist"), tmp_path)
    files = packed(source_of(built, kind="sdist"), tmp_path)
    assert {"shop/wsgi.py", "shop-1.0.dist-info/METADATA"} <= set(files)
    assert json.loads(files[".slipway-recipe"]) == {"install": built.name}


def test_what_nobody_used_for_a_week_is_taken_away(project: Path, tmp_path: Path) -> None:
    kept = source_of(project, kind="sdist").folder
    old = tmp_path / "packages" / ("0" * 12)
    old.mkdir()
    a_week_ago = time.time() - 8 * 86400
    for path in (old, kept):
        os.utime(path, (a_week_ago, a_week_ago))
    assert source_of(project, kind="sdist").folder.is_dir()
    assert not old.exists()


def test_a_project_that_does_not_build_says_so_in_the_words_of_its_tool(project: Path) -> None:
    (project / "backend.py").write_text("raise RuntimeError('no wood left')\n")
    told = complaint(project, kind="sdist")
    assert "the package cannot be built; uv says:" in told
    assert "no wood left" in told
    assert list((project.parent / "packages").iterdir()) == []


def test_a_folder_without_pyproject_toml_is_no_package(folder: Path) -> None:
    assert "pyproject.toml: missing; slipway:appSource is sdist" in complaint(folder, kind="sdist")


def test_a_package_as_a_folder_is_refused(project: Path, tmp_path: Path) -> None:
    path = wheel(tmp_path, "tiny", "1.0")
    assert "a file: must be a folder, or a package where slipway:appSource" in complaint(path)


@pytest.mark.parametrize("name", ["shop.zip", "shop-1.0.tar.gz", "shop-1.0-py3-none-any.whl"])
def test_what_is_no_package_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"something else")
    told = complaint(tmp_path / name, kind="sdist")
    assert told.startswith(str(tmp_path / name))
    assert "must be a folder, or a package" in told or "cannot be unpacked" in told


def test_an_archive_without_metadata_is_no_package(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "shop-1.0.tar.gz", "w:gz") as archive:
        (tmp_path / "wsgi.py").write_text("app = 1\n")
        archive.add(tmp_path / "wsgi.py", "shop-1.0/wsgi.py")
    told = complaint(tmp_path / "shop-1.0.tar.gz", kind="sdist")
    assert "not a Python package" in told


def test_a_package_that_is_not_there_is_named(tmp_path: Path) -> None:
    told = complaint(tmp_path / "shop-1.0.tar.gz", kind="sdist")
    assert "there is no such folder, nor such a package" in told
