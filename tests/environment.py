"""An environment of a test: brought up once, kept switched off, and started again in seconds."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from local_cloud.cli.paths import cache_folder
from local_cloud.hosts.hypervisor import NspawnHypervisor
from tests.clone import Clone, Place, copy_of_the_project, write_settings

#: What no environment is made of: whatever else changes has it brought up anew.
NOT_PART_OF_IT = ("tests/", "docs/", "bench/", "examples/", ".github/", ".circleci/", ".ci/")
#: What bringing an environment up writes in its clone.
WRITTEN = (".slipway", "Pulumi.local.yaml", ".git/config")
SECONDS_TO_SHUT_DOWN = 20.0

Edits = Mapping[str, tuple[str, str]]
"""By the path of a file: what is to be replaced in it, and by what."""


@dataclass(frozen=True)
class Golden:
    """The state of an environment that was brought up from the same project and settings.

    A clone is always at the same path, which is part of the names of its cloud.
    """

    place: Place

    @property
    def folder(self) -> Path:
        return cache_folder() / "test-environments" / f"{self.place.number:02}"

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    @property
    def state(self) -> Path:
        return self.folder / "golden"

    def is_of(self, made_of: str) -> bool:
        try:
            return (self.folder / "made-of").read_text() == made_of
        except FileNotFoundError:
            return False

    def keep(self, clone: Clone, made_of: str) -> None:
        """Switch the servers off, and copy what they and the engine have written."""
        (self.folder / "made-of").unlink(missing_ok=True)
        shutil.rmtree(self.state, ignore_errors=True)
        (self.state / ".git").mkdir(parents=True)
        switch_off(clone)
        for name in WRITTEN:
            copy(clone.folder / name, self.state / name)
        (self.folder / "made-of").write_text(made_of)

    def restore(self, clone: Clone) -> None:
        for name in WRITTEN:
            copy(self.state / name, clone.folder / name)


@contextmanager
def environment_of_its_own(
    place: Place,
    *settings: str,
    edits: Edits | None = None,
) -> Iterator[Clone]:
    """The environment `local` of a fresh copy of the project, up; it is taken away at the end.

    Args:
        place: its ports and addresses.
        settings: further lines of Pulumi.local.yaml, such as "slipway:webCount: 4".
        edits: changes of the copy's files.
    """
    require_root()
    golden = Golden(place)
    with alone(golden.folder):
        take_away(golden.clone, place)
        golden.clone.mkdir()
        clone = copy_of_the_project(golden.clone, place)
        write_settings(clone, *settings)
        for path, (old, new) in (edits or {}).items():
            clone.edit(path, old, new)
        made_of = digest(clone)
        put_under_git(clone)
        try:
            if golden.is_of(made_of):
                golden.restore(clone)
            else:
                clone.run("scripts/up local", timeout=1500)
                golden.keep(clone, made_of)
            switch_on(clone)
            yield clone
        finally:
            clone.run("scripts/down local")


def require_root() -> None:
    """Skip what boots hosts where that is not possible."""
    if os.geteuid() != 0:
        pytest.skip("the local cloud boots real hosts, which needs root")


def put_under_git(clone: Clone) -> None:
    commit = "git -c user.name=T -c user.email=t@example.org commit -q -m 'First light'"
    clone.run(f"git init -q && git add -A && {commit}")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AssertionError(
                f"other tests use {folder}: set SLIPWAY_TEST_SLOT to another number, 0 to 9"
            ) from None
        yield


def take_away(clone: Path, place: Place) -> None:
    """What a run has left that was killed."""
    table = ["nft", "delete", "table", "inet", place.table]
    subprocess.run(table, check=False, capture_output=True)
    cloud = clone / ".slipway" / "local-cloud"
    if cloud.exists():
        subprocess.run(["python3", "-m", "local_cloud", "reset", "--state", cloud], check=True)
    if clone.exists():
        shutil.rmtree(clone)


def switch_off(clone: Clone) -> None:
    """Shut all servers down behind the cloud's back: it starts them again when it starts."""
    state = clone.folder / ".slipway" / "local-cloud"
    local_cloud(clone, "stop")
    hypervisor = NspawnHypervisor(state, cache_folder())
    machines = [int(each.name) for each in (state / "machines").iterdir()]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda id: hypervisor.shut_down(id, SECONDS_TO_SHUT_DOWN), machines))


def switch_on(clone: Clone) -> None:
    local_cloud(clone, "start")
    clone.wait_until_it_answers()


def local_cloud(clone: Clone, command: str, options: str = "") -> None:
    state = clone.folder / ".slipway" / "local-cloud"
    program = f"python3 -m local_cloud {command} --state {state} {options}"
    clone.run(f"source scripts/activate 2>/dev/null && {program}")


def copy(source: Path, target: Path) -> None:
    """With owners, times and extended attributes, in which overlayfs says what was deleted."""
    subprocess.run(["cp", "--archive", "--reflink=auto", source, "-T", target], check=True)


def digest(clone: Clone) -> str:
    """Of everything that an environment is made from."""
    files = sorted(
        path
        for path in clone.folder.rglob("*")
        if path.is_file()
        and not path.is_relative_to(clone.folder / ".venv")
        and not path.relative_to(clone.folder).as_posix().startswith(NOT_PART_OF_IT)
        and path.suffix != ".md"
    )
    whole = hashlib.sha256()
    for path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(
            f"{path.relative_to(clone.folder)} {path.stat().st_mode:o} {content}\n".encode()
        )
    return whole.hexdigest()
