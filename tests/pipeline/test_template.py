"""`pulumi new`: a copy of this repository becomes a project of one's own, here tier by tier.

tests/unit/test_upgrade_of_this_repository.py has the rest of how it takes a newer version.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from tests.clone import ROOT, Clone, Place, copy_of_the_project, write_settings
from tests.environment import require_root
from tests.typed import typed, types

pytestmark = pytest.mark.hosts
COMMIT = (
    "git add --all && git -c user.name=T -c user.email=t@example.org commit -q -m 'As it was made'"
)


@types("scripts/up local --only db", "scripts/up local --only web")
def test_pulumi_new_makes_a_project_of_its_own_that_comes_up_tier_by_tier(
    site: Clone, tmp_path: Path, command: str, then: str
) -> None:
    require_root()
    (tmp_path / "repository").mkdir()
    repository = copy_of_the_project(tmp_path / "repository", Place(number=Place().number + 2))
    write_settings(repository)
    (repository.folder / ".venv").unlink()
    repository.run(f"git init -q && {COMMIT}")

    made = f"pulumi new {repository.folder} --dir {tmp_path}/myshop --name myshop"
    site.pulumi(f"{made.removeprefix('pulumi ')} --description 'A shop' --generate-only --yes")
    shop = Clone(tmp_path / "myshop", repository.environment, repository.place)
    project = yaml.safe_load((shop.folder / "Pulumi.yaml").read_text())
    assert (project["name"], project["description"]) == ("myshop", "A shop")

    takes_a_newer_version_without_a_conflict(shop, repository)

    (shop.folder / ".venv").symlink_to(ROOT / ".venv")
    try:
        refused = typed(shop, then, fails=True).stderr
        assert "project myshop: the settings of its environments go by that name now" in refused
        assert "local has no database yet, and its web servers need one" in refused
        assert hosts(shop) == set()
        assert "local: the database is up" in typed(shop, command, timeout=1500).stderr
        assert hosts(shop) == {"db"}
        assert shop.output("db")["server"] == "db"
        said = typed(shop, then, timeout=1500).stderr
        assert f"local is up: http://127.0.0.1:{shop.place.web}/" in said
        assert hosts(shop) == {"db", "web"}
        assert "Ada" in shop.get().text
        assert "myshop:localWebPort" in (shop.folder / "Pulumi.local.yaml").read_text()
        whole = shop.run("scripts/up local")
        assert re.search(r"Resources:\n +\d+ unchanged\n", whole.stdout), "both were all there is"
        released = shop.output("release")["id"]
        shop.edit("app/templates/users.html", "</h1>", ", in two steps</h1>")
        typed(shop, command)
        assert shop.output("release")["id"] == released, "the web servers were left out"
        assert ", in two steps</h1>" not in shop.get().text
        typed(shop, then)
        assert ", in two steps</h1>" in shop.get().text
        refused = shop.pulumi(
            "config set webPort 70000 --stack local && pulumi preview", fails=True
        )
        assert "myshop:webPort is 70000: must be a port, 1 to 65535" in refused
    finally:
        shop.run("scripts/down local")


def takes_a_newer_version_without_a_conflict(shop: Clone, repository: Clone) -> None:
    """The form in which `pulumi new` writes Pulumi.yaml is known, and where it says it is from."""
    shop.run(f"git init -q && {COMMIT}")
    last = repository.folder / "Pulumi.yaml"
    last.write_text(f"{last.read_text()}  zzz:\n    default: new\n")
    repository.run(COMMIT)
    assert "files 1 changed, 1 new, 0 deleted" in shop.run("scripts/upgrade").stderr
    assert "zzz" in (shop.folder / "Pulumi.yaml").read_text()
    shop.run("git reset --hard -q")


def hosts(shop: Clone) -> set[str]:
    """The names of the local cloud's hosts."""
    look = "source scripts/activate && python3 -m local_cloud status --json"
    return {each["name"] for each in json.loads(shop.run(look).stdout)}
