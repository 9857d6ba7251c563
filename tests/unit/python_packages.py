"""Projects, locks and packages for tests, made without a registry."""

from __future__ import annotations

import zipfile
from pathlib import Path

from components.release.dependencies import uv

WHEEL = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

#: A build tool of the project's own, so that nothing has to be fetched to build it. As others do it
#: leaves something behind in the folder, and the time in the archive.
BACKEND = """\
import io, pathlib, tarfile, zipfile

NAME = "shop-1.0"
METADATA = "Metadata-Version: 2.1\\nName: shop\\nVersion: 1.0\\nREQUIRES"

def build_sdist(folder, settings=None):
    pathlib.Path("shop.egg-info").write_text("a trace")
    with tarfile.open(f"{folder}/{NAME}.tar.gz", "w:gz") as archive:
        for path in [*pathlib.Path(".").rglob("*.py"), pathlib.Path("pyproject.toml")]:
            archive.add(path, f"{NAME}/{path}")
        header = tarfile.TarInfo(f"{NAME}/PKG-INFO")
        header.size = len(METADATA)
        archive.addfile(header, io.BytesIO(METADATA.encode()))
    return f"{NAME}.tar.gz"

def build_wheel(folder, settings=None, metadata=None):
    wheel = f"{NAME}-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{wheel}", "w") as archive:
        for path in pathlib.Path("src").rglob("*.py"):
            archive.write(path, path.relative_to("src"))
        archive.writestr(f"{NAME}.dist-info/METADATA", METADATA)
        archive.writestr(f"{NAME}.dist-info/WHEEL", WHEEL)
        archive.writestr(f"{NAME}.dist-info/RECORD", "")
    return wheel

"""

BUILT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""


def project_in(folder: Path, *packages: str, more: str = "") -> Path:
    """A project that needs these packages."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ", ".join(f'"{package}"' for package in packages)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1.0"\nrequires-python = ">=3.9"\n'
        f"dependencies = [{names}]\n{more}"
    )
    return folder


def package_in(folder: Path, *packages: str) -> Path:
    """A project that builds itself: the package `shop`, in src, with shop.wsgi:app."""
    project_in(folder, *packages, more=BUILT)
    requires = "".join(f"Requires-Dist: {package}\\n" for package in packages)
    backend = BACKEND.replace("REQUIRES", requires)
    (folder / "backend.py").write_text(f"WHEEL = {WHEEL!r}\n{backend}")
    (folder / "src" / "shop").mkdir(parents=True)
    (folder / "src" / "shop" / "__init__.py").write_text("")
    (folder / "src" / "shop" / "wsgi.py").write_text("app = 1\n")
    return folder


def wheel(folder: Path, name: str, version: str, module: str = "") -> Path:
    """A package of one module."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    known = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", module)
        archive.writestr(
            f"{known}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        )
        archive.writestr(f"{known}/WHEEL", WHEEL)
        archive.writestr(f"{known}/RECORD", "")
    return path


def lock(project: Path, wheels: Path) -> None:
    """Write uv.lock, with what is in the folder `wheels` for a registry."""
    words = ("lock", "--offline", "--no-index", "--find-links", str(wheels))
    done = uv(*words, "--project", str(project))
    assert done.returncode == 0, done.stderr
