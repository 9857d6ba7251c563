"""An application as a package, built of its folder or given; unpacked on this machine."""

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
#: Of any time will do, as long as it is always the same (1980 is the first that a zip file knows).
TIME_OF_ALL_FILES = "315532800"
UNUSED_AFTER_SECONDS = 7 * 86400


def unpacked(path: Path, packages: Path) -> Path:
    """The content of the package that `path` is or that is built of it: a folder in `packages`.

    Kept there by content, so that a package is built once.

    Raises:
        SlipwayError: there is no such file or folder, it has no pyproject.toml, it does not build,
            or it is no package.
    """
    if path.is_dir():
        if not (path / "pyproject.toml").exists():
            raise SlipwayError(
                f"{path / 'pyproject.toml'}: missing; slipway:appSource is sdist, and it says how"
                " the package is built"
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
    """What was made before, or is made now: aside, and moved into place as a whole."""
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
    """Of a copy, for build tools leave traces in the folder."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        copy, built = Path(work, project.resolve().name), Path(work, "dist")
        artifact.copy(project, copy)
        settings = {"SOURCE_DATE_EPOCH": TIME_OF_ALL_FILES}
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
            known = list(to.glob("*.dist-info/METADATA"))
        else:
            _unpack_sdist(package, to)
            known = list(to.glob("PKG-INFO"))
    except (OSError, tarfile.TarError, zipfile.BadZipFile, EOFError, ValueError) as error:
        raise SlipwayError(f"{package}: cannot be unpacked: {error}") from None
    if len(known) != 1:
        raise SlipwayError(f"{package}: is no Python package: it has no metadata")


def _unpack_sdist(package: Path, to: Path) -> None:
    """Everything in a source distribution is in one folder, which is left out."""
    with tempfile.TemporaryDirectory(dir=to) as aside, tarfile.open(package) as archive:
        # Python 3.11.4 brought it; an older one takes a package's own word.
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
