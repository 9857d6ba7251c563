"""A new part of a server is one file with its template: status, repair and removal need no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest

from cli.servers import findings, repair
from cli.servers.desired_state import Expectation, expectations
from cli.servers.finding import Finding, Level
from components.servers.remote import REMOVE, Host
from host import survey
from tests.components.conftest import Created, Engine, plain
from tests.components.toy_part import SCRIPT, SERVICE, TIMER, Toy, ToyArgs
from tests.server_folder import ServerFolder
from tests.unit import stack_state


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerFolder:
    server = ServerFolder.new(tmp_path)
    monkeypatch.setattr(survey, "RECORDS", server.records)
    monkeypatch.setenv("PATH", server.path)
    monkeypatch.setenv("FAKE", str(server.fake))
    return server


@pytest.fixture
def part(server: ServerFolder) -> list[Created]:
    """The resources of the toy, put on the server."""
    engine = Engine()
    pulumi.runtime.set_mocks(engine, project="slipway", stack="test", preview=False)

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def program() -> None:
        host = Host(
            name="web",
            machine=pulumi.ComponentResource("test:index:Machine", "web"),
            machine_id=pulumi.Output.from_input(stack_state.DROPLETS["web"]),
            address=pulumi.Output.from_input("203.0.113.1"),
            private_address=pulumi.Output.from_input("10.0.0.1"),
            user="deploy",
            private_key=pulumi.Output.from_input("PRIVATE"),
            host_key=pulumi.Output.from_input("ssh-ed25519 AAAA"),
            connect_seconds=1,
        )
        Toy("toy", ToyArgs(host=host, root=server.root, owner=server.owner))

    program()
    made = engine.all("remote:Command")
    for each in made:
        put(server, each)
    return made


def put(server: ServerFolder, resource: Created) -> None:
    server.run(plain(resource.inputs["create"]), stdin=plain(resource.inputs["stdin"]))


def expected(part: list[Created]) -> Expectation:
    """What the state says of the server, after an update with the toy."""
    resources: list[dict[str, Any]] = [
        {
            "type": each.type,
            "urn": stack_state.urn(each.name),
            "inputs": each.inputs,
            "outputs": {"stdout": stack_state.sha256(_content(each))},
        }
        for each in part
    ]
    return expectations([*stack_state.server("web"), *resources])["web"]


def _content(resource: Created) -> str:
    return str(plain(resource.inputs["stdin"])).removesuffix("slipway: end of file\n")


def found(server: ServerFolder, part: list[Created]) -> list[Finding]:
    """What scripts/status says, of a server that is well but for the toy."""
    wanted, facts = expected(part), stack_state.facts("web")
    toy = [path for path in wanted.files if path.startswith(str(server.root))]
    facts["files"] |= {path: survey.file_state(Path(path)) for path in toy}
    facts["units"] |= {"toy.timer": survey.unit_state("toy.timer")}
    return findings.of_server(wanted, facts, stack="local", now=stack_state.NOW)


def test_it_is_expected_and_all_is_well(server: ServerFolder, part: list[Created]) -> None:
    wanted = expected(part)
    assert {f"{server.root}/{path}" for path in (SCRIPT, SERVICE, TIMER)} <= wanted.files.keys()
    assert wanted.units["toy.timer"].repair == (stack_state.urn("web-toy.timer"),)
    assert server.runs("toy.timer")
    assert found(server, part) == []


def test_what_was_changed_or_stopped_is_found_and_repaired(
    server: ServerFolder, part: list[Created]
) -> None:
    server.run(f"systemctl disable --now toy.timer; echo changed >{server.root}/{SCRIPT}")
    seen = found(server, part)
    assert {(each.text, each.level) for each in seen} == {
        ("toy.timer is inactive", Level.WARNING),
        (f"{server.root}/{SCRIPT} was changed on the server", Level.WARNING),
    }
    for each in part:
        if stack_state.urn(each.name) in repair.targets(seen):
            put(server, each)
    assert found(server, part) == []


def test_it_is_removed(server: ServerFolder, part: list[Created]) -> None:
    assert part
    server.run(f"sh {REMOVE} --all")
    assert server.asked[-2:] == ["disable --now toy.timer", "daemon-reload"]
    assert not server.runs("toy.timer")
    assert server.files == set()
