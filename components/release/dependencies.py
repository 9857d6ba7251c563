"""The packages an application needs, as the requirements.txt of its release.

Every release has a requirements.txt, however the project declares its dependencies: servers install
from it, and name the virtual environment after its hash.
"""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from uv import find_uv_bin

from components.core.errors import SlipwayError
from components.release.artifact import REQUIREMENTS

_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(?:\[[^]]*\])?\s*(?:==\s*([\w.!+]+))?")


def of_folder(folder: Path) -> bytes | None:
    """Content of requirements.txt, exported from uv.lock; None if the folder has its own.

    Raises:
        SlipwayError: the folder does not declare its packages, or its files contradict each other.
    """
    project, lock, own = (folder / name for name in ("pyproject.toml", "uv.lock", REQUIREMENTS))
    if lock.exists():
        if not project.exists():
            raise SlipwayError(f"{lock}: there is no pyproject.toml beside it")
        _check_lock(folder)
        exported = _export(folder)
        if own.exists():
            _check_agreement(own, exported)
        return exported.encode()
    if own.exists() or not folder.is_dir():
        return None
    if project.exists():
        raise SlipwayError(
            f"{project}: its packages are not locked: there is neither uv.lock (`uv lock` makes it)"
            f" nor {REQUIREMENTS}; or set slipway:appSource to sdist, to have it installed as it is"
        )
    raise SlipwayError(
        f"{folder}: nothing says which packages it needs: there must be {REQUIREMENTS} (it may be"
        " empty), or pyproject.toml with uv.lock"
    )


def of_package(project: Path) -> bytes:
    """The same for an application that is installed as a package: the versions to install before
    it; empty if its own metadata is enough."""
    if (project / "uv.lock").exists():
        return of_folder(project) or b""
    own = project / REQUIREMENTS
    return own.read_bytes() if own.exists() else b""


def _check_lock(folder: Path) -> None:
    """Raise SlipwayError unless the lock matches pyproject.toml; works offline."""
    with (folder / "uv.lock").open("rb") as file:
        try:
            packages = tomllib.load(file).get("package", [])
        except tomllib.TOMLDecodeError as error:
            raise SlipwayError(f"{folder / 'uv.lock'}: not valid TOML: {error}") from None
    sources = (package.get("source", {}).get("registry") for package in packages)
    registries = Counter(filter(None, sources)).most_common(1)
    # A lock made with another registry than this machine's is not out of date because of that.
    index = ["--default-index", registries[0][0]] if registries else []
    done = uv("lock", "--check", "--offline", *index, "--project", str(folder))
    if done.returncode != 0:
        raise SlipwayError(
            f"{folder / 'uv.lock'}: not up to date with pyproject.toml: run `uv lock` there."
            f" uv says:{last_lines(done.stderr)}"
        )


def _export(folder: Path) -> str:
    words = ["--frozen", "--no-default-groups", "--no-emit-project", "--no-header", "--no-annotate"]
    done = uv("export", *words, "--format", "requirements-txt", "--project", str(folder))
    if done.returncode != 0:
        raise SlipwayError(f"{folder / 'uv.lock'}: uv cannot read it:{last_lines(done.stderr)}")
    return done.stdout


def _check_agreement(own: Path, exported: str) -> None:
    """Both may exist, if one was made from the other."""
    locked = _versions(exported)
    for name, versions in _versions(own.read_text()).items():
        if name not in locked:
            said = "uv.lock does not have it"
        elif versions and not versions & locked[name]:
            said = f"{REQUIREMENTS} says {_or(versions)}, uv.lock {_or(locked[name])}"
        else:
            continue
        raise SlipwayError(
            f"{own} and uv.lock contradict each other on {name}: {said}. Take {REQUIREMENTS} away"
            " (uv.lock says it all), or make it anew from the lock (`uv export`)"
        )


def _or(versions: set[str]) -> str:
    return " or ".join(sorted(versions))


def _versions(requirements: str) -> dict[str, set[str]]:
    """The pinned versions by normalized name; an empty set if any version will do."""
    found: dict[str, set[str]] = {}
    for line in requirements.splitlines():
        match = _REQUIREMENT.match(line)
        if match:
            name, version = re.sub(r"[-_.]+", "-", match[1]).lower(), match[2]
            found.setdefault(name, set()).update([version] if version else [])
    return found


def uv(*words: str, settings: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the uv of this project's own virtual environment."""
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    return subprocess.run(
        [find_uv_bin(), *words],
        env={**environment, "UV_NO_PROGRESS": "1", "UV_SYSTEM_CERTS": "1", **(settings or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def last_lines(text: str) -> str:
    return "".join(f"\n    {line}" for line in text.strip().splitlines()[-15:])
