"""A project made of an older state of these very files takes the present one, as docs/upgrading.md
says it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.clone import Clone, Place, copy_of_the_project
from tests.typed import typed, types
from tests.unit.upgrade_repositories import Repository

BULLET = "- A line that the older state does not have.\n"
EDITED = ("README.md", "templates/nginx-server.conf", "CHANGELOG.md", "Pulumi.yaml")
OWN_TEMPLATE = "# As we like it.\nPermitRootLogin no\n"


@pytest.fixture(scope="module")
def slipway(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Two versions: one in which these files had not come so far, and as they are."""
    clone = copy_of_the_project(tmp_path_factory.mktemp("slipway"), Place())
    repository = Repository(clone.folder)
    repository.init()
    clone.edit("CHANGELOG.md", "### Added\n", f"### Added\n\n{BULLET}")
    now = {
        name: repository.text(name)
        for name in (*EDITED, "components/core/render.py", "docs/sites.md")
    }
    clone.edit("README.md", "Slipway runs", "It runs")
    clone.edit("templates/nginx-server.conf", "server_tokens off;\n", "")
    clone.edit("Pulumi.yaml", "DigitalOcean region", "A region")
    clone.edit("CHANGELOG.md", BULLET, "")
    (clone.folder / "scripts/status").chmod(0o644)
    older = {"components/core/render.py": "# Not written yet.\n", "docs/sites.md": None}
    repository.commit({**older, "docs/former.md": "# No more needed\n" * 9}, "v0.1.0")
    repository.write({**now, "docs/former.md": None})
    (clone.folder / "scripts/status").chmod(0o755)
    repository.commit({}, "v0.2.0")
    return clone


@pytest.fixture
def shop(slipway: Clone, tmp_path: Path) -> Clone:
    """A project of the older version, with changes of its own."""
    repository = Repository(slipway.folder)
    repository.git("checkout", "--quiet", "v0.1.0")
    folder = tmp_path / "myshop"
    shutil.copytree(slipway.folder, folder, ignore=shutil.ignore_patterns(".git"), symlinks=True)
    repository.git("checkout", "--quiet", "main")
    shop, project = Clone(folder, slipway.environment, slipway.place), Repository(folder)
    project.init()
    text = re.sub(r"(?ms)^# For `pulumi new.*?^(?=# Every)", "", project.text("Pulumi.yaml"))
    text = text.replace("name: slipway", "name: myshop").replace("\n\n", "\n")
    address = f"  pulumi:tags:\n    value:\n      pulumi:template: {slipway.folder}\n"
    project.commit({"Pulumi.yaml": text + address})
    shop.edit("templates/nginx-server.conf", "listen ", "listen  ")
    shop.edit("app/templates/users.html", "</h1>", ", in our shop</h1>")
    shutil.rmtree(folder / "bench")
    project.commit({"templates/own/sshd.conf": OWN_TEMPLATE, "Pulumi.shop.yaml": "config: {}\n"})
    return shop


@types("scripts/upgrade --dry-run", "scripts/upgrade")
def test_a_project_takes_the_newest_version(
    slipway: Clone, shop: Clone, command: str, then: str
) -> None:
    project = Repository(shop.folder)
    before = typed(shop, command)
    assert before.stdout.endswith(BULLET)
    assert project.status == ""
    said = typed(shop, then)
    assert (said.stdout, said.stderr.splitlines()[:2]) == (
        before.stdout,
        before.stderr.splitlines()[:2],
    )
    assert "files 6 changed, 2 new, 1 deleted" in said.stderr
    assert {line[0] for line in project.status.splitlines()} == {"A", "D", "M"}

    ours = Repository(slipway.folder)
    for name in ours.git("ls-files").splitlines():
        if name.startswith("bench/"):
            assert not (shop.folder / name).exists(), name
        elif name not in ("Pulumi.yaml", "templates/nginx-server.conf", "app/templates/users.html"):
            assert (shop.folder / name).read_bytes() == (ours.folder / name).read_bytes(), name
    nginx = project.text("templates/nginx-server.conf")
    assert ("listen  " in nginx, "server_tokens off;" in nginx) == (True, True)
    settings = project.text("Pulumi.yaml")
    assert ("name: myshop" in settings, "DigitalOcean region" in settings) == (True, True)
    assert ", in our shop</h1>" in project.text("app/templates/users.html")
    assert (shop.folder / "scripts/status").stat().st_mode & 0o100
    look = "from components.core import render; print(render.render('sshd.conf'), end='')"
    assert shop.run(f'.venv/bin/python3 -c "{look}"').stdout == OWN_TEMPLATE


@types("scripts/upgrade --to 0.2.0")
def test_a_project_takes_the_version_that_is_named(shop: Clone, command: str) -> None:
    shop.edit("README.md", "It runs", "Our shop runs")
    Repository(shop.folder).commit({})
    said = typed(shop, command, fails=True).stderr
    assert "CONFLICT (content): Merge conflict in README.md" in said
    assert "<<<<<<< upgrade/yours\nOur shop runs" in (shop.folder / "README.md").read_text()
