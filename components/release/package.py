"""An application as a Python package, built from its folder or given as a file, and unpacked."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from components.core.errors import SlipwayError
from components.release import artifact
from components.release.dependencies import last_lines, uv

SUFFIXES = (".tar.gz", ".whl")
#: Any constant would do; 1980 is the earliest time that a zip file can have.
SOURCE_DATE_EPOCH = "315532800"
UNUSED_AFTER_SECONDS = 7 * 86400


def unpacked(path: Path, packages: Path) -> Path:
    """Unpack the package at `path`, or the one built from that folder, into a folder in `packages`.

    The folder is named after the content, so that a package is built only once.

    Raises:
        SlipwayError: there is no such file or folder, it has no pyproject.toml, it does not build,
            or it is not a package.
    """
    if path.is_dir():
        if not (path / "pyproject.toml").exists():
            raise SlipwayError(
                f"{path / 'pyproject.toml'}: missing; slipway:appSource is sdist, so the package"
                " is built as that file says"
            )
        return _kept(packages / artifact.identify_folder(path), lambda to: _build(path, to))
    if not path.is_file():
        raise SlipwayError(f"{path}: there is no such folder, nor such a package")
    if not path.name.endswith(SUFFIXES):
        raise SlipwayError(f"{path}: must be a folder, or a package: {' or '.join(SUFFIXES)}")
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()[:12]
    return _kept(packages / content, lambda to: _unpack(path, to))


def _kept(folder: Path, make: Callable[[Path], None]) -> Path:
    """Return the folder; if it does not exist, let `make` fill a temporary one and rename it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_unused(folder.parent)
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(
            prefix=".", suffix=".partial", dir=folder.parent, ignore_cleanup_errors=True
        ) as aside:
            made = Path(aside, "package")
            made.mkdir()
            make(made)
            made.rename(folder)
    os.utime(folder)
    return folder


def _build(project: Path, to: Path) -> None:
    """Build from a copy, because build tools leave files in the folder."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        copy, built = Path(work, project.resolve().name), Path(work, "dist")
        artifact.copy(project, copy)
        settings = {"SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH}
        words = ("build", "--sdist", "--out-dir", str(built), str(copy))
        done = uv(*words, settings=settings)
        if done.returncode != 0:
            said = last_lines(done.stderr.replace(str(copy), str(project)))
            raise SlipwayError(f"{project}: the package cannot be built; uv says:{said}")
        (package,) = built.glob("*.tar.gz")
        _unpack(package, to)


def _unpack(package: Path, to: Path) -> None:
    try:
        if package.suffix == ".whl":
            with zipfile.ZipFile(package) as archive:
                archive.extractall(to)  # noqa: S202 - leaves out what leads out of the folder
            metadata = list(to.glob("*.dist-info/METADATA"))
        else:
            _unpack_sdist(package, to)
            metadata = list(to.glob("PKG-INFO"))
    except (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError, ValueError) as error:
        raise SlipwayError(f"{package}: cannot be unpacked: {error}") from None
    if len(metadata) != 1:
        raise SlipwayError(f"{package}: not a Python package: it has no metadata")


def _unpack_sdist(package: Path, to: Path) -> None:
    """Unpack the content of the one folder that a source distribution consists of."""
    with tempfile.TemporaryDirectory(dir=to) as aside, tarfile.open(package) as archive:
        # New in Python 3.11.4; before that, paths in the package are not checked.
        filtered = getattr(tarfile, "data_filter", None)
        archive.extractall(aside, **({"filter": filtered} if filtered else {}))  # noqa: S202
        tops = list(Path(aside).iterdir())
        if len(tops) != 1 or not tops[0].is_dir():
            raise ValueError("expected one folder with everything in it")
        for path in tops[0].iterdir():
            shutil.move(path, to / path.name)


def _remove_unused(packages: Path) -> None:
    for path in packages.iterdir():
        if time.time() - path.stat().st_mtime > UNUSED_AFTER_SECONDS:
            shutil.rmtree(path, ignore_errors=True)
