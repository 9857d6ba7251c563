"""The scripts read the last outputs from the state on this machine, or else ask the engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.script_project import Project, new_project

URL = "http://127.0.0.1:8080/"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Whose engine gives other outputs than its state: so it shows who was asked."""
    made = new_project(tmp_path)
    home = made.environment["SLIPWAY_HOME"]
    made.environment["PULUMI_BACKEND_URL"] = f"file://{home}?metadata=skip"
    made.answers({"url": "the engine's"})
    return made


def has_state(project: Project, outputs: dict[str, Any], kind: str = "pulumi:pulumi:Stack") -> None:
    folder = Path(project.environment["SLIPWAY_HOME"], ".pulumi", "stacks", "slipway")
    folder.mkdir(parents=True)
    provider = {"type": "pulumi:providers:pulumi"}
    resources = [provider, {"type": kind, "outputs": outputs}]
    state = {"checkpoint": {"latest": {"resources": resources}}}
    (folder / "local.json").write_text(json.dumps(state))


def printed(project: Project) -> str:
    done = project.call("from cli.engine.state import outputs\nprint(outputs('local')['url'])")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_an_output_is_read_without_the_engine(project: Project) -> None:
    has_state(project, {"url": URL})
    assert printed(project) == URL
    assert project.called == ""


def test_a_state_that_is_elsewhere_is_asked_for_from_the_engine(project: Project) -> None:
    has_state(project, {"url": URL})
    project.environment["PULUMI_BACKEND_URL"] = "s3://states"
    assert printed(project) == "the engine's"


def test_before_the_first_update_the_engine_is_asked(project: Project) -> None:
    assert printed(project) == "the engine's"


@pytest.mark.parametrize(
    ("outputs", "kind"),
    [
        ({"url": URL, "key": {"ciphertext": "v1:abc"}}, "pulumi:pulumi:Stack"),
        ({"url": URL}, "digitalocean:index/vpc:Vpc"),
    ],
    ids=["a secret", "no stack"],
)
def test_a_state_that_is_not_as_expected_is_left_to_the_engine(
    project: Project, outputs: dict[str, Any], kind: str
) -> None:
    has_state(project, outputs, kind)
    assert printed(project) == "the engine's"


def test_a_broken_state_is_left_to_the_engine(project: Project) -> None:
    has_state(project, {"url": URL})
    for path in Path(project.environment["SLIPWAY_HOME"]).rglob("local.json"):
        path.write_text('{"checkpoint": {"latest"')
    assert printed(project) == "the engine's"
