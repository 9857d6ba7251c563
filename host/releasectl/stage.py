"""Commands: stage, pack and unmark-bad."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from .app import App
from .archive import Recipe, pack, package_of, unpack
from .clock import now
from .console import ReleaseError, say
from .files import chown_tree, make_link, reclaim_tree, remove_tree
from .journal import RELEASE_FIELDS
from .release import Release
from .release_command import run_shell
from .venv import grow_venv, refuse_other_files, run_uv

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def receive_release(app: App, release_id: str) -> None:
    """Unless the release is staged already, request its archive on standard output and read it
    from standard input until end of file.

    Runs without the lock, because the sender may have to fetch the archive first.
    """
    import shutil

    if app.release(release_id).ready:
        return
    aside = app.incoming / f".{release_id}.{os.getpid()}"
    sys.stdout.write("send\n")
    sys.stdout.flush()
    try:
        with aside.open("xb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, 1 << 20)
        if not aside.stat().st_size:
            raise ReleaseError(f"the archive of release {release_id} was not sent")
        aside.replace(app.incoming / f"{release_id}.tar.gz")
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def pack_release(app: App, release_id: str) -> dict[str, Any]:
    """Write the release's archive to standard output, for a server that does not have it."""
    import shutil

    release = app.release(release_id)
    if not release.ready:
        staged = ", ".join(sorted(each.id for each in app.all_releases()))
        raise ReleaseError(f"it is not on this server (releases here: {staged or 'none'})")
    archive = release.marks / "archive.tar.gz"
    if not archive.exists():
        pack(release.path, sys.stdout.buffer)
        return {}
    with archive.open("rb") as file:
        shutil.copyfileobj(file, sys.stdout.buffer)
    return {}


def stage_release(
    app: App, release_id: str, archive: Path | None, record: dict[str, Any], kept: bool = False
) -> dict[str, Any]:
    """Make a release ready to start. The mark BAD is removed, but a `kept` BAD one is refused."""
    release = app.release(release_id)
    if kept and release.ready:
        app.require_good(release)
    app.remove_unfinished()
    archive = archive or app.incoming / f"{release_id}.tar.gz"
    if not release.ready:
        remove_tree(release.path)
        unpack_release(app, release, archive, record)
        changed = True
    else:
        venv = make_venv(app, release.path, release_id)
        changed = link_venv(app, release.path, venv)
    if release.mark("BAD") is not None:
        (release.marks / "BAD").unlink()
        changed = True
    if changed:
        fields = {key: record[key] for key in RELEASE_FIELDS if record.get(key)}
        app.journal.add("stage", release_id, **fields)
    if archive.parent == app.incoming:
        archive.unlink(missing_ok=True)
    return {"id": release_id, "changed": changed}


def unpack_release(app: App, release: Release, archive: Path, record: dict[str, Any]) -> None:
    import compileall
    import shutil
    import subprocess

    aside = Release(app.releases, f".{release.id}.{os.getpid()}")
    aside.id = release.id
    aside.path.mkdir()
    try:
        found = unpack(archive, aside.path)
        if found != release.id:
            raise ReleaseError(f"{archive}: contains release {found}, not {release.id}")
        recipe = Recipe(aside.path)
        venv = make_venv(app, aside.path, release.id)
        link_venv(app, aside.path, venv)
        require_module(app, aside.path)
        if recipe.build:
            build_release(app, aside, recipe.build)
            link_venv(app, aside.path, venv)
        # Compiled now, because the application's user cannot write here. A file that does not
        # compile fails when it is imported, if ever.
        compileall.compile_dir(aside.path, quiet=2)
        aside.marks.mkdir()
        if recipe.build:  # its output is mixed with the archive's content, so `pack` needs this
            shutil.copyfile(archive, aside.marks / "archive.tar.gz")
        aside.set_mark("READY", id=release.id, staged_at=now(), venv=venv, record=record)
        # READY must hold after a power cut as well.
        subprocess.run(["sync", "--file-system", aside.path], check=False)
        aside.path.rename(release.path)
    except BaseException:
        shutil.rmtree(aside.path, ignore_errors=True)
        raise


def link_venv(app: App, folder: Path, venv: str) -> bool:
    link, target = folder / ".venv", f"../../venvs/{venv}"
    if link.is_symlink() and str(link.readlink()) == target:
        return False
    make_link(link, target)
    return True


def make_venv(app: App, folder: Path, release_id: str) -> str:
    """Create the venv that a release needs, unless it exists; return its name.

    The name is a hash of its content: requirements.txt, the Python version, and the id of a release
    that is itself a package.
    """
    import tempfile

    requirements = folder / "requirements.txt"
    try:
        content = requirements.read_bytes()
    except FileNotFoundError:
        raise ReleaseError("the release has no requirements.txt") from None
    package = Recipe(folder).install
    python = f"{sys.implementation.name} {'.'.join(map(str, sys.version_info))}"
    key = content + b"\0" + python.encode() + (release_id.encode() if package else b"")
    name = hashlib.sha256(key).hexdigest()[:12]
    venv = app.venvs / name
    if venv.is_dir():
        return name
    refuse_other_files(content.decode("utf-8", "replace"))
    aside = app.venvs / f".{name}.{os.getpid()}"
    try:
        say(f"installing the packages of requirements.txt into venvs/{name}")
        # One hash means that all packages are listed and have one, as it does to pip.
        locked = b"--hash=" in content
        serving = serving_venv(app) if locked else None
        install = ("pip", "install", "--compile-bytecode", "--python", aside / "bin" / "python")
        if serving is None or not grow_venv(serving, aside, requirements):
            remove_tree(aside)
            run_uv("venv", "--relocatable", "--python", sys.executable, aside)
            hashes = ["--require-hashes"] if locked else []
            run_uv(*install, *hashes, "--requirement", requirements)
        if package:
            say(f"installing the release itself ({package})")
            with tempfile.TemporaryDirectory(prefix="releasectl-") as work:
                run_uv(*install, package_of(folder, package, Path(work)))
        aside.rename(venv)
    except BaseException:
        remove_tree(aside)
        raise
    return name


def serving_venv(app: App) -> Path | None:
    """The venv of the release that serves, if it was made with this Python."""
    release = app.serving_release()
    if release is None:
        return None
    venv = app.release(release).path / ".venv"
    python = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    fits = (venv / "bin" / "python").resolve() == Path(sys.executable).resolve()
    return venv.resolve() if fits and (venv / "lib" / python).is_dir() else None


def build_release(app: App, release: Release, command: str) -> None:
    """Run the build command. It may write into the release, which is read-only afterwards."""
    say(f"build command: {command}")
    owner = app.subprocess_options(release)
    chown_tree(release.path, owner.get("user"), owner.get("group"))
    problem = run_shell(app, release, command)
    if problem:
        raise ReleaseError(f"the build command {problem}")
    remove_tree(release.marks)  # only releasectl may create these, and the link .venv
    (release.path / ".venv").unlink(missing_ok=True)
    reclaim_tree(release.path)


def require_module(app: App, folder: Path) -> None:
    """Refuse a release without the application's module, in itself or in one of its packages."""
    import subprocess

    module = app.settings.module.split(":")[0]
    path = folder.joinpath(*module.split("."))
    if path.with_name(path.name + ".py").is_file() or path.is_dir():
        return
    find = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"
    python = folder / ".venv" / "bin" / "python"
    done = subprocess.run(
        [python, "-I", "-c", find, module], capture_output=True, check=False, cwd=folder
    )
    if done.returncode != 0:
        raise ReleaseError(
            f"the release has no module {module!r}, which app.json requires"
            f" (module = {app.settings.module!r}): neither {module.replace('.', '/')}.py"
            " nor a package of requirements.txt"
        )


def unmark_bad(app: App, release_id: str) -> dict[str, Any]:
    """Remove the mark BAD because somebody knows better."""
    release = app.release(release_id)
    bad = release.mark("BAD")
    if bad is not None:
        (release.marks / "BAD").unlink()
        app.journal.add("unmark-bad", release_id, reason=bad.get("reason"))
    return {"id": release_id, "changed": bad is not None}
