"""The application's configuration file: found, filled in, named after its content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.application.config_file import ConfigFile
from components.core.errors import SlipwayError
from tests.unit.test_settings import settings

ENVIRONMENT = {"SECRET_KEY": "hush", "DATABASE_URL": "postgresql://…"}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").mkdir()
    return tmp_path


def file_of(name: str, **more: Any) -> ConfigFile:
    found = ConfigFile.of(settings(appConfigFile=name, **more))
    assert found
    return found


def complaint(name: str, **more: Any) -> str:
    with pytest.raises(SlipwayError) as caught:
        file_of(name, **more)
    return str(caught.value)


def test_there_is_none_unless_it_is_asked_for() -> None:
    assert ConfigFile.of(settings()) is None


def test_a_plain_file_is_taken_as_it_is(project: Path) -> None:
    (project / "production.cfg").write_text("{{ not a template }}\n")
    file = file_of("production.cfg")
    assert file.render(ENVIRONMENT) == "{{ not a template }}\n"
    assert file.variable == "APP_CONFIG"


def test_a_template_has_the_settings_and_the_variables(project: Path) -> None:
    (project / "app.toml.j2").write_text(
        'key = "{{ env.SECRET_KEY }}"\nport = {{ settings.webPort }}\n'
        "{% if settings.webCount > 1 %}\nmany = true\n{% endif %}\n"
    )
    file = file_of("app.toml.j2", appEnv={"SECRET_KEY": "hush"}, webPort=8081)
    assert file.render(ENVIRONMENT) == 'key = "hush"\nport = 8081\n'


def test_the_variables_are_not_among_the_settings(project: Path) -> None:
    (project / "all.j2").write_text("{{ settings }}")
    assert "hush" not in file_of("all.j2", appEnv={"SECRET_KEY": "hush"}).render(ENVIRONMENT)


def test_it_is_looked_for_in_the_project_and_then_in_the_application(project: Path) -> None:
    (project / "app" / "settings.py").write_text("A = 1\n")
    assert file_of("settings.py").text == "A = 1\n"
    (project / "settings.py").write_text("A = 2\n")
    assert file_of("settings.py").text == "A = 2\n"


def test_it_is_named_after_its_content_and_keeps_its_suffix(project: Path) -> None:
    (project / "app.cfg.j2").write_text("")
    file = file_of("app.cfg.j2")
    one, other = file.name("one"), file.name("other")
    assert one != other
    assert one.startswith("config-")
    assert one.endswith(".cfg")
    assert file.name("one") == one


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n{{ env.NO_SUCH }}", "app.j2, line 2: 'dict object' has no attribute 'NO_SUCH'"),
        ("\n\n{% if %}", "app.j2, line 3: Expected an expression"),
        ("{{ settings.noSuch }}", "app.j2, line 1: 'dict object' has no attribute 'noSuch'"),
        ("\n{{ env.SECRET_KEY + 1 }}", "app.j2, line 2: TypeError"),
        ("{{ env.SECRET_KEY | nosuch }}", "app.j2, line 1: No filter named 'nosuch'"),
        ("{{ {}[env.SECRET_KEY].x }}", "app.j2, line 1: "),
        ("{% include env.SECRET_KEY %}", "app.j2, line 1: TypeError"),
    ],
)
def test_a_template_that_is_wrong_is_named_with_its_line_and_no_value(
    project: Path, text: str, said: str
) -> None:
    (project / "app.j2").write_text(text)
    told = complaint("app.j2", appEnv={"SECRET_KEY": "hush"})
    assert told.startswith(said)
    assert "hush" not in told


def test_a_file_that_is_not_there_is_named_with_both_places() -> None:
    told = complaint("no.cfg")
    assert told == "slipway:appConfigFile is no.cfg: there is neither no.cfg nor app/no.cfg"


def test_a_file_that_is_not_text_is_refused(project: Path) -> None:
    (project / "app.cfg").write_bytes(b"\xff\xfe")
    assert "app.cfg: cannot be read as text" in complaint("app.cfg")


@pytest.mark.parametrize("name", ["../x.cfg", "/etc/passwd"])
def test_a_file_outside_the_project_is_refused(name: str) -> None:
    assert f"slipway:appConfigFile is {name}: must be a path below" in complaint(name)


@pytest.mark.parametrize("name", ["path", "PATH", "DATABASE_URL", "SLIPWAY_X", "", "A-B"])
def test_a_variable_that_cannot_name_it_is_refused(name: str) -> None:
    assert "must be capital letters, digits and _" in complaint("x", appConfigVariable=name)


def test_two_cannot_say_the_same_variable() -> None:
    told = complaint("x.cfg", appEnv={"APP_CONFIG": "elsewhere"})
    assert "slipway:appEnv has the name APP_CONFIG, which is taken" in told
