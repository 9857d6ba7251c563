"""Building an image: once, whole or not at all. The two long steps are replaced by short ones."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from local_cloud.hosts import image
from local_cloud.hosts.package_cache import PackageCache
from local_cloud.machine import MachineError

SLUG = "debian-12-x64"


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The builds that took place; each makes one file."""
    done: list[str] = []

    def bootstrap(slug: str, tree: Path, *_others: object) -> None:
        tree.mkdir()
        time.sleep(0.2)
        (tree / "file").write_text("content")
        done.append(slug)

    @contextmanager
    def no_cache(_self: PackageCache) -> Iterator[None]:
        yield None

    monkeypatch.setattr(image, "_bootstrap", bootstrap)
    monkeypatch.setattr(image, "_finish", lambda tree, sources: None)
    monkeypatch.setattr(PackageCache, "while_building", no_cache)
    return done


def test_an_image_is_built_once_however_many_want_it(tmp_path: Path, builds: list[str]) -> None:
    told: list[str] = []
    images = image.Images(tmp_path)
    with ThreadPoolExecutor() as pool:
        paths = set(pool.map(lambda _: images.prepare(SLUG, told.append), range(4)))

    assert builds == [SLUG]
    assert paths == {images.path(SLUG)}
    assert f"image {SLUG}: another process builds it; waiting" in told
    told.clear()
    images.prepare(SLUG, told.append)
    assert told == []


@pytest.mark.parametrize("interruption", [MachineError("no space"), KeyboardInterrupt()])
def test_an_interrupted_build_leaves_no_half_image(
    tmp_path: Path,
    builds: list[str],
    monkeypatch: pytest.MonkeyPatch,
    interruption: BaseException,
) -> None:
    def interrupted(tree: Path, sources: str) -> None:
        raise interruption

    images = image.Images(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(image, "_finish", interrupted)
        with pytest.raises(type(interruption)):
            images.prepare(SLUG, lambda line: None)
    assert [path for path in (tmp_path / "images").iterdir() if path.is_dir()] == []

    (tmp_path / f"images/.building-{SLUG}-of-a-killed-process").mkdir()
    images.prepare(SLUG, lambda line: None)
    assert [path for path in (tmp_path / "images").iterdir() if path.is_dir()] == [
        images.path(SLUG)
    ]


@pytest.mark.hosts
def test_what_a_killed_build_has_mounted_is_no_part_of_the_tree_that_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else this machine's own /dev/shm would be emptied."""
    if os.geteuid() != 0:
        pytest.skip("to mount something needs root")
    precious, tree = tmp_path / "precious", tmp_path / "tree"
    (precious / "file").parent.mkdir()
    (precious / "file").touch()
    tool = tmp_path / "bin" / "mmdebstrap"
    tool.parent.mkdir()
    tool.write_text(
        f"#!/bin/sh\ncat >/dev/null\nmkdir {tree}\nmount --bind {precious} {tree}\nkill -9 $$\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:{os.environ['PATH']}")
    with pytest.raises(MachineError):
        image._bootstrap(SLUG, tree, "", None, lambda line: None)
    assert str(tree) not in Path("/proc/mounts").read_text()
    shutil.rmtree(tree)
    assert (precious / "file").exists()


def test_another_recipe_makes_another_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = image.Images(tmp_path)
    before = images.path(SLUG)
    assert images.path(SLUG) == before
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    (certificates / "new.crt").write_text("a new authority")
    monkeypatch.setattr(image, "CERTIFICATES", certificates)
    assert images.path(SLUG) != before
