"""`pulumi new`: a copy of this repository becomes a project of one's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from tests.clone import ROOT, Clone, Place, copy_of_the_project, write_settings

pytestmark = pytest.mark.hosts


def test_pulumi_new_makes_a_project_of_its_own_that_comes_up(site: Clone, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the local cloud boots real hosts, which needs root")
    (tmp_path / "repository").mkdir()
    repository = copy_of_the_project(tmp_path / "repository", Place(number=Place().number + 2))
    write_settings(repository)
    (repository.folder / ".venv").unlink()

    made = f"pulumi new {repository.folder} --dir {tmp_path}/myshop --name myshop"
    site.pulumi(f"{made.removeprefix('pulumi ')} --description 'A shop' --generate-only --yes")
    shop = Clone(tmp_path / "myshop", repository.environment, repository.place)
    project = yaml.safe_load((shop.folder / "Pulumi.yaml").read_text())
    assert (project["name"], project["description"]) == ("myshop", "A shop")

    (shop.folder / ".venv").symlink_to(ROOT / ".venv")
    try:
        said = shop.run("scripts/up local", timeout=1500).stderr
        assert "project myshop: the settings of its environments go by that name now" in said
        assert f"local is up: http://127.0.0.1:{shop.place.web}/" in said
        assert "Ada" in shop.get().text
        assert "myshop:localWebPort" in (shop.folder / "Pulumi.local.yaml").read_text()
        assert "unchanged" in shop.run("scripts/up local").stdout, "a second one changes nothing"
        refused = shop.pulumi(
            "config set webPort 70000 --stack local && pulumi preview", fails=True
        )
        assert "myshop:webPort is 70000: must be a port, 1 to 65535" in refused
    finally:
        shop.run("scripts/down local")
