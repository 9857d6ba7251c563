"""What a release served with, and what is otherwise now."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.project.sites import Site
from cli.releases import settings_then
from components.settings import written
from components.settings.written import changes, of_site

FILE = """config:
  digitalocean:token:
    secure: v1:token
  slipway:webCount: 2
  slipway:workers: "3"
  slipway:release: 0123456789ab
  slipway:compression: true
  slipway:appEnv:
    COLOUR: blue
    SECRET_KEY:
      secure: v1:abc
  slipway:sites:
    - appName: shop
      serverNames: [shop.example.org]
      workers: 5
      appEnv: {COLOUR: red}
    - appName: blog
      serverNames: [blog.example.org]
"""


@pytest.fixture
def stack_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text(FILE)
    return path


def test_each_value_is_known_by_itself_and_a_secret_by_a_digest(stack_file: Path) -> None:
    found = written.of_stack("dev", "slipway")
    secret = found.pop("appEnv.SECRET_KEY")
    assert found == {"appEnv.COLOUR": "blue", "compression": "true", "workers": "3"}
    assert secret.startswith("secret ")
    assert "abc" not in secret
    stack_file.write_text(FILE.replace("v1:abc", "v1:abd"))
    assert written.of_stack("dev", "slipway")["appEnv.SECRET_KEY"] != secret


def test_a_further_site_has_its_own_and_what_it_takes_over(stack_file: Path) -> None:
    shop = written.of_stack("dev", "slipway", "shop")
    assert shop == {
        "appEnv.COLOUR": "red",
        "compression": "true",
        "serverNames": '["shop.example.org"]',
        "workers": "5",
    }
    blog = written.of_stack("dev", "slipway", "blog")
    assert blog == {
        "compression": "true",
        "serverNames": '["blog.example.org"]',
        "workers": "3",
    }


def test_a_map_that_was_set_as_text_is_the_same_map() -> None:
    as_map = {"appEnv": {"COLOUR": "blue"}, "warmUpPaths": ["/a"], "workers": 3}
    as_text = {"appEnv": '{"COLOUR":"blue"}', "warmUpPaths": '["/a"]', "workers": "3"}
    assert of_site(as_map) == of_site(as_text)


@pytest.mark.parametrize("content", ["", "config:\n", "[", "config: [a]\n"])
def test_without_a_file_that_can_be_read_nothing_is_known(stack_file: Path, content: str) -> None:
    stack_file.write_text(content)
    assert written.of_stack("dev", "slipway") == {}
    stack_file.unlink()
    assert written.of_stack("dev", "slipway") == {}


THEN = {"appEnv.COLOUR": "light blue", "appEnv.KEY": "secret 0123", "healthPath": "/up"}
NOW = {"appEnv.KEY": "secret 4567", "healthPath": "/up", "workers": "9"}


def test_what_has_changed_is_told_with_the_values_of_then() -> None:
    lines = settings_then.told(changes(THEN, NOW), {"workers": 5})
    assert lines == [
        "  appEnv.COLOUR: light blue",
        "  appEnv.KEY: another value (a secret)",
        "  workers: not set (default: 5)",
    ]


def test_commands_bring_the_settings_of_then_back() -> None:
    assert settings_then.commands(changes(THEN, NOW), "dev", lambda name: name) == [
        "  pulumi config set --path appEnv.COLOUR 'light blue' --stack dev",
        "  pulumi config set --secret --path appEnv.KEY --stack dev",
        "  pulumi config rm workers --stack dev",
    ]
    shop = settings_then.commands([("workers", "3")], "dev", "sites[0].{}".format)
    assert shop == ["  pulumi config set --path 'sites[0].workers' 3 --stack dev"]


def test_a_release_said_nothing_before_it_was_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = {"releases": [{"id": "a" * 12}, {"id": "b" * 12, "settings": {"workers": "3"}}]}
    monkeypatch.setattr(settings_then, "outputs", lambda _: json.loads(json.dumps(outputs)))
    site = Site(name="site", number=None, settings={})
    settings_then.tell("local", "a" * 12, site)
    assert capsys.readouterr().err == ""
    settings_then.tell("local", "b" * 12, site)
    said = capsys.readouterr().err
    assert "workers: 3" in said
    assert f"then: scripts/rollback local {'b' * 12}" in said
