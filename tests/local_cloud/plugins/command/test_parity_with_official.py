"""The same programs through the engine with the official plugin: nobody can tell them apart.

Takes minutes; runs where SLIPWAY_OFFICIAL_PLUGINS names a folder with `pulumi-resource-command`
1.2.1 (see parity.py).
"""

from __future__ import annotations

import functools
import typing
from pathlib import Path

import pytest

from tests.local_cloud.plugins import parity
from tests.local_cloud.plugins.command.ssh_server import SshServer, new_key
from tests.local_cloud.plugins.parity import Observation, Project, Step, difference, observe

HEAD = """
import pulumi
from pulumi_command import local, remote

settings = pulumi.Config()
work = settings.require("work")

def connection(**changes):
    return remote.ConnectionArgs(**{
        "host": "127.0.0.1", "port": settings.require_int("port"), "user": "root",
        "private_key": open(settings.require("key")).read(),
        "host_key": settings.require("hostKey"), "dial_error_limit": 0, **changes})
"""

EVERYTHING = """
made = local.Command("made",
    create="cat; echo made $NAME; echo aside >&2", update="echo updated", delete="echo deleted",
    stdin=pulumi.Output.secret("hush\\n"), environment={"NAME": "name"}, triggers=["one", 2, True])
plain = local.Command("plain", create="echo plain", dir="/", logging=local.Logging.NONE)
bash = local.Command("bash", create="echo $0 $BASH_VERSION | wc -w", interpreter=["bash", "-c"],
    opts=pulumi.ResourceOptions(additional_secret_outputs=["stdout"]))
files = local.Command("files", create="echo 1 >a.txt; mkdir -p sub; echo 2 >sub/b.txt", dir=work,
    asset_paths=["**.txt"], archive_paths=["*.txt"])
there = remote.Command("there", connection=connection(),
    create=pulumi.Output.concat("cat; echo there ", plain.stdout), stdin=made.stdout,
    delete="echo gone", triggers=[made.stdout], add_previous_output_in_env=False)
idle = remote.Command("idle", connection=connection(host="192.0.2.1"), delete=None)
text = remote.CopyToRemote("text", connection=connection(), source=pulumi.StringAsset("text\\n"),
    remote_path=work + "/copied/text", triggers=[made.stdout])
tree = remote.CopyToRemote("tree", connection=connection(), source=pulumi.FileArchive("./tree"),
    remote_path=work + "/copied/tree")
pulumi.export("made", made.stdout)
pulumi.export("bash", bash.stdout)
pulumi.export("there", there.stdout)
pulumi.export("connection", there.connection)
"""

CHANGES = {
    "another update command changes no output yet": ('"echo updated"', '"echo updated again"'),
    "another trigger replaces": ('"one", 2', '"two", 2'),
    "one trigger more replaces": ("2, True]", "2, True, 4]"),
    "no trigger replaces": (', triggers=["one", 2, True]', ""),
    "other input updates": ('"hush\\n"', '"hushed\\n"'),
    "input becomes public": ('pulumi.Output.secret("hush\\n")', '"hush\\n"'),
    "another variable updates": ('"NAME": "name"', '"NAME": "other", "MORE.dotted": "x"'),
    "no update command": (', update="echo updated"', ""),
    "another create command": ('"echo plain"', '"echo plainer"'),
    "another text is copied": ('"text\\n"', '"other text\\n"'),
    "another path is copied to": ("/copied/tree", "/copied/elsewhere"),
    "another connection": (
        '"dial_error_limit": 0',
        '"dial_error_limit": 0, "per_dial_timeout": 7',
    ),
    "a resource goes": ("idle = ", "idle = None and "),
}


def story(*steps: tuple[typing.Literal["preview", "up"], str]) -> list[Step]:
    return [functools.partial(_play, what, program) for what, program in steps]


def _play(what: str, program: str, project: Project) -> Observation:
    tree = project.folder / "tree" / "sub"
    tree.mkdir(parents=True, exist_ok=True)
    (tree / "file").write_text("content")
    observation: Observation = getattr(project, what)(program)
    return observation


@pytest.fixture
def compare(
    tmp_path: Path, server: SshServer
) -> typing.Callable[[typing.Sequence[Step]], list[Observation]]:
    (tmp_path / "key").write_text(server.private_key)
    (tmp_path / "key").chmod(0o600)

    def prepare(which: str) -> dict[str, str]:
        work = tmp_path / which / "work"
        work.mkdir(parents=True)
        return {
            "work": str(work),
            "port": str(server.port),
            "key": str(tmp_path / "key"),
            "hostKey": server.host_key,
        }

    def observed(steps: typing.Sequence[Step]) -> list[Observation]:
        official, stand_in = observe("command", "1.2.1", steps, tmp_path, prepare=prepare)
        differences = [
            f"step {number}:\n{difference(one, other)}"
            for number, (one, other) in enumerate(zip(official, stand_in, strict=True))
            if one != other
        ]
        assert not differences, "\n".join(differences)
        return official

    return observed


Compare = typing.Callable[[typing.Sequence[Step]], list[Observation]]


def test_a_life_from_creation_over_every_kind_of_change_to_deletion(compare: Compare) -> None:
    program = HEAD + EVERYTHING
    steps = [*story(("preview", program), ("up", program), ("preview", program))]
    for before, after in CHANGES.values():
        assert before in program
        steps += story(("preview", program.replace(before, after)))
    program = program.replace('"one", 2', '"two", 2').replace('"hush\\n"', '"hushed\\n"')
    steps += story(("preview", program), ("up", program), ("up", program))
    for before, after in list(CHANGES.values())[6:]:
        program = program.replace(before, after)
    steps += [*story(("up", program)), Project.refresh, Project.destroy]
    seen = compare(steps)
    assert not [step.messages for step in seen if not step.succeeded]
    operations = {entry["op"] for step in seen for entry in step.steps}
    assert operations >= {"create", "update", "replace", "same", "delete"}


@pytest.mark.parametrize(
    "resource",
    [
        'local.Command("it", create="cat; echo why; exit 3", stdin="hush")',
        'local.Command("it", create="true", dir="/nowhere")',
        'local.Command("it", create="kill -9 $$")',
        'remote.Command("it", connection=connection(), create="echo why >&2; exit 3")',
        'remote.Command("it", connection=connection(), create="x", environment={"NO": "y"})',
        f'remote.Command("it", connection=connection(host_key="{new_key()[1]}"), create="x")',
        'remote.Command("it", connection=connection(private_key="nonsense"), create="x")',
        'remote.Command("it", connection=connection(port=1, dial_error_limit=1), create="x")',
        'remote.CopyToRemote("it", connection=connection(), remote_path="/proc/no/name", '
        'source=pulumi.FileAsset("Pulumi.yaml"))',
        'remote.CopyToRemote("it", connection=connection(), remote_path="/a", '
        'source=pulumi.AssetArchive({"a": pulumi.StringAsset("a")}))',
        'remote.CopyToRemote("it", connection=connection(), remote_path="/a", '
        'source=local.Command("a", create="echo a").stdout.apply(pulumi.StringAsset))',
    ],
)
def test_a_failure_is_told_in_the_same_words(compare: Compare, resource: str) -> None:
    program = HEAD + resource
    seen = compare(story(("preview", program), ("up", program)))
    assert not all(step.succeeded for step in seen)


def test_a_stack_goes_from_one_plugin_to_the_other_without_a_change(
    tmp_path: Path, server: SshServer
) -> None:
    (tmp_path / "key").write_text(server.private_key)
    settings = {
        "work": str(tmp_path),
        "port": str(server.port),
        "key": str(tmp_path / "key"),
        "hostKey": server.host_key,
    }
    official, stand_in = tmp_path / "official", tmp_path / "stand-in"
    parity.install_official(parity.official_plugin("command"), "command", "1.2.1", official)
    parity.install_stand_in("command", "1.2.1", stand_in)
    project = Project(tmp_path / "project", official, settings)
    assert _play("up", HEAD + EVERYTHING, project).succeeded
    for home in (stand_in, official):
        project.home = home
        project.run("stack", "select", "test")
        seen = _play("preview", HEAD + EVERYTHING, project)
        assert {step["op"] for step in seen.steps} == {"same"}
