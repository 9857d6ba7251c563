"""A Slipway in miniature with versions, and projects made of it, as real git repositories."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.arguments import parsed
from cli.commands.upgrade import COMMAND
from cli.console import status_of
from cli.upgrade.project import upgrade as upgrade_project

Content = str | bytes | None
"""Of a file; None to delete it."""

PULUMI_YAML = """\
name: slipway
description: Environments and releases
runtime: python

# For `pulumi new`.
template:
  description: A Python web application
  config:
    region:
      default: fra1

# Every setting.
config:
  # The application
  appName:
    default: site

  # Servers
  region:
    default: fra1
"""
# What `pulumi new` makes of it: no section template, no empty lines, and where it is from.
AS_PULUMI_NEW_WRITES = """\
name: myshop
description: A shop
runtime: python
# Every setting.
config:
  # The application
  appName:
    default: site
  # Servers
  region:
    default: fra1
  pulumi:tags:
    value:
      pulumi:template: {address}
"""
LINES = "".join(f"line {number}\n" for number in range(1, 21))
CHANGELOG = "# Changelog\n\n## Unreleased\n\n### Added\n\n- One.\n"
FIRST: dict[str, Content] = {
    "Pulumi.yaml": PULUMI_YAML,
    "Pulumi.local.yaml": "config: {}\n",
    "pyproject.toml": '[project]\nname = "slipway"\nversion = "0.1.0"\n',
    "CHANGELOG.md": CHANGELOG,
    "README.md": LINES,
    "scripts/up": "#!/bin/sh\n",
    "templates/nginx-site.conf": LINES,
    "docs/one.md": f"One\n{LINES}",
    "docs/two.md": f"Two\n{LINES}",
    "bench/run": f"Run\n{LINES}",
    "bench/plot": f"Plot\n{LINES}",
    "logo.png": b"\x89PNG\0one",
    "app/wsgi.py": LINES,
}


@dataclass(frozen=True)
class Repository:
    folder: Path

    def git(self, *words: str) -> str:
        who = ("-c", "user.name=T", "-c", "user.email=t@example.org")
        done = subprocess.run(
            ["git", *who, *words], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def init(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def write(self, files: Mapping[str, Content]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                path.unlink()
            else:
                path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: Mapping[str, Content], *tags: str) -> str:
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "A change")
        for tag in tags:
            self.git("tag", tag)
        return self.git("rev-parse", "HEAD")

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    @property
    def status(self) -> str:
        return self.git("status", "--porcelain")


def new_slipway(folder: Path) -> Repository:
    slipway = Repository(folder)
    slipway.init()
    slipway.commit(FIRST)
    (folder / "scripts/up").chmod(0o755)
    slipway.commit({})
    return slipway


def new_project(slipway: Repository, folder: Path, within: str = "") -> Repository:
    """What `pulumi new` makes of the newest commit, in git; or within a folder of a repository."""
    project = Repository(folder / within)
    shutil.copytree(slipway.folder, project.folder, ignore=shutil.ignore_patterns(".git"))
    project.write({"Pulumi.yaml": AS_PULUMI_NEW_WRITES.format(address=slipway.folder)})
    Repository(folder).init()
    project.commit({})
    return project


def upgrade(project: Repository, *words: str) -> int:
    """Exit status of scripts/upgrade."""

    def run() -> int:
        options = parsed(COMMAND, "upgrade", words)
        assert options
        return upgrade_project(
            project.folder,
            to=options.to,
            address=getattr(options, "from"),
            base_version=options.base,
            dry_run=options.dry_run,
        )

    return status_of(run)


def killed_upgrade(project: Repository, fakes: Path) -> None:
    """One whose process is killed as soon as git has begun to write files."""
    fakes.mkdir()
    git = shutil.which("git")
    (fakes / "git").write_text(
        '#!/bin/sh\ncase "$*" in\n'
        f"  'read-tree -m -u '*) {git} \"$@\"; kill -9 $PPID ;;\n"
        f'  *) exec {git} "$@" ;;\nesac\n'
    )
    (fakes / "git").chmod(0o755)
    program = (
        "from pathlib import Path; from cli.upgrade.project import upgrade;"
        f" upgrade(Path({str(project.folder)!r}))"
    )
    done = subprocess.run(
        ["python3", "-c", program],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "PATH": f"{fakes}:{os.environ['PATH']}"},
        capture_output=True,
    )
    assert done.returncode == -9
