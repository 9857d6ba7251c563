"""A setting is declared once: whatever else is said of it is made of that."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import pytest
import yaml

from cli.paths import ROOT
from cli.project import settings_documents
from components.application.application import Application, ApplicationFiles
from components.settings.declaration import IN_PLACE, OnChange, Setting, declared_in
from components.settings.section import Section
from components.settings.settings import SECTIONS, Settings
from components.settings.site import NOT_TAKEN_OVER, OF_A_SITE
from tests.unit.releasectl_host import releasectl_module

DECLARED = {each.key: each for each in declared_in(Settings)}


@pytest.mark.parametrize(
    ("name", "written"),
    [("Pulumi.yaml", settings_documents.pulumi_yaml), ("README.md", settings_documents.readme)],
)
def test_documents_say_what_the_declarations_say(name: str, written: Callable[[str], str]) -> None:
    text = (ROOT / name).read_text()
    assert written(text) == text, "run: python3 -m cli.project.settings_documents"


def test_the_project_file_has_every_setting_with_its_default() -> None:
    config = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    defaults = {key: each["default"] for key, each in config.items()}
    assert defaults == {key: each.default for key, each in DECLARED.items()}
    assert defaults == Settings().model_dump(by_alias=True)


def test_every_setting_is_in_one_section() -> None:
    names = [each.key for section in SECTIONS for each in declared_in(section)]
    assert len(names) == len(set(names))
    assert set(names) == DECLARED.keys()


def test_a_further_site_has_what_is_declared_for_it() -> None:
    assert "appEnv" in NOT_TAKEN_OVER
    assert "healthPath" in OF_A_SITE
    assert "webPort" not in OF_A_SITE
    assert NOT_TAKEN_OVER.keys() <= OF_A_SITE


def test_releasectl_knows_what_it_gets_and_gets_what_it_knows(tmp_path: Path) -> None:
    text = ApplicationFiles.of(Application(settings=Settings(), module="wsgi:app"), {}).releasectl
    (tmp_path / "app.json").write_text(text)
    releasectl_module().Settings(tmp_path / "app.json")
    known = {
        name
        for name, value in vars(releasectl_module().Settings).items()
        if not (name.startswith("_") or name.isupper() or callable(value))
    }
    # An app.json without a user is that of the application's own.
    assert known - {"user"} == json.loads(text).keys()


def test_templates_get_no_secret() -> None:
    settings = Settings.model_validate({"appEnv": {"KEY": "hush"}})
    values = Application(settings=settings, module="wsgi:app").values
    assert "hush" not in repr(values)
    assert values["web_port"] == 80


def test_a_declaration_without_a_setting_or_a_default_is_a_mistake() -> None:
    class Half(Section):
        web_port: int = 80

    class Required(Section):
        web_port: Annotated[int, Setting("Port", IN_PLACE)]

    for model in (Half, Required):
        with pytest.raises(TypeError, match="web_port needs a default and one Setting"):
            list(declared_in(model))


def test_what_a_change_does_is_said_of_each() -> None:
    assert DECLARED["webSize"].said.on_change == OnChange.ONE_BY_ONE
    assert DECLARED["vpcRange"].said.on_change == OnChange.REFUSED
