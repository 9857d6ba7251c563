"""Runs the same Pulumi programs with two plugins, and tells what a person and the state see.

A stand-in is right if nobody can tell it from the official plugin, so each step of a story is
observed (preview, messages, state) under both and the observations are compared. The official
plugins are taken from the folder in SLIPWAY_OFFICIAL_PLUGINS, where they were built or
downloaded to; without it these tests are skipped.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import typing
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local_cloud.plugins.install import install

OFFICIAL = "SLIPWAY_OFFICIAL_PLUGINS"
PLUGIN = typing.Literal["command", "digitalocean"]
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"

Json = typing.Any


def pulumi() -> Path:
    """The engine; skips the test where there is none with a language host for Python."""
    found, host = shutil.which("pulumi"), shutil.which("pulumi-language-python")
    if found is None or host is None:
        pytest.skip("needs `pulumi` and `pulumi-language-python` on PATH (scripts/setup)")
    return Path(found)


def official_plugin(plugin: PLUGIN) -> Path:
    """The official plugin's executable; skips the test where there is none."""
    folder = os.environ.get(OFFICIAL)
    if not folder:
        pytest.skip(f"needs the official plugins in the folder named by {OFFICIAL}")
    executable = Path(folder) / f"pulumi-resource-{plugin}"
    if not executable.is_file():
        pytest.skip(f"{OFFICIAL} has no {executable.name}")
    return executable


def install_official(executable: Path, plugin: PLUGIN, version: str, home: Path) -> None:
    """Put an official plugin into a `PULUMI_HOME` of its own."""
    folder = home / "official"
    folder.mkdir(parents=True)
    shutil.copy(executable, folder)
    subprocess.run(
        [pulumi(), "plugin", "install", "resource", plugin, version, "--file", folder],
        env={**os.environ, "PULUMI_HOME": str(home)},
        check=True,
        capture_output=True,
    )


def install_stand_in(plugin: PLUGIN, version: str, home: Path) -> None:
    """Put a stand-in into a `PULUMI_HOME` of its own."""
    before = os.environ.get("PULUMI_HOME")
    os.environ["PULUMI_HOME"] = str(home)
    try:
        install(plugin, version, pulumi())
    finally:
        if before is None:
            del os.environ["PULUMI_HOME"]
        else:
            os.environ["PULUMI_HOME"] = before


@dataclass(frozen=True)
class Observation:
    """What can be seen of one step. Equal observations look the same to everybody."""

    succeeded: bool
    messages: list[str] = field(repr=False)
    steps: list[Json]
    state: Json


@dataclass
class Project:
    """A Pulumi project with a stack in a file backend, using one `PULUMI_HOME`."""

    folder: Path
    home: Path
    settings: typing.Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "backend").mkdir(parents=True)
        (self.folder / "Pulumi.yaml").write_text("name: story\nruntime: python\n")
        self.run("stack", "init", "test")
        for key, value in self.settings.items():
            self.run("config", "set", key, value)

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the CLI in this project."""
        variables = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PULUMI_HOME": str(self.home),
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE": "parity",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        variables.pop("SSH_AUTH_SOCK", None)
        done = subprocess.run(
            [pulumi(), *arguments, "--non-interactive"],
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done

    def preview(self, program: str, *options: str) -> Observation:
        """Preview a program."""
        self._write(program)
        done = self.run("preview", "--json", *options, check=False)
        told = json.loads(done.stdout[done.stdout.index("{") :])
        return self._observed(
            done,
            messages=[_diagnostic(e) for e in told.get("diagnostics") or [] if _matters(e)],
            steps=told.get("steps", []),
            state=None,
        )

    def up(self, program: str, *options: str) -> Observation:
        """Bring a program about."""
        self._write(program)
        return self._change("up", "--skip-preview", "--yes", *options)

    def destroy(self) -> Observation:
        """Take everything away."""
        return self._change("destroy", "--skip-preview", "--yes")

    def refresh(self) -> Observation:
        """Compare the state with the world."""
        return self._change("refresh", "--skip-preview", "--yes")

    def _write(self, program: str) -> None:
        (self.folder / "__main__.py").write_text(program)

    def _change(self, *arguments: str) -> Observation:
        done = self.run(*arguments, "--json", check=False)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        assert lines, done.stderr
        events = [json.loads(line) for line in lines]
        return self._observed(
            done,
            messages=[_message(event["diagnosticEvent"]) for event in events if _told(event)],
            steps=[_operation(event["resourcePreEvent"]) for event in events if _changes(event)],
            state={"closed": self._state(), "open": self._state("--show-secrets")},
        )

    def _observed(
        self,
        done: subprocess.CompletedProcess[str],
        messages: list[str],
        steps: list[Json],
        state: Json,
    ) -> Observation:
        comparable = [self._comparable(step) for step in steps]
        return Observation(
            succeeded=done.returncode == 0,
            messages=sorted(self._without_chance(message) for message in messages),
            steps=sorted(comparable, key=lambda step: (step["urn"], step["op"])),
            state=self._comparable(state),
        )

    def _state(self, *options: str) -> Json:
        exported = json.loads(self.run("stack", "export", *options).stdout)
        # Resources are in the order in which they happened to be done.
        resources = exported["deployment"].get("resources") or []
        return sorted(resources, key=lambda resource: str(resource["urn"]))

    def _comparable(self, value: Json, key: str = "") -> Json:
        """Without what differs between two runs of one plugin: times, random ids, ciphers."""
        if isinstance(value, dict):
            if value.get(SIGNATURE) == SECRET and "ciphertext" in value:
                return "<secret>"
            return {
                name: self._comparable(entry, name)
                for name, entry in value.items()
                if name not in ("created", "modified", "sourcePosition", "stackTrace")
            }
        if isinstance(value, list):
            entries = [self._comparable(entry) for entry in value]
            # What a value depends on, and what changed, are sets told in any order.
            are_urns = all(isinstance(e, str) and e.startswith("urn:") for e in entries)
            return sorted(entries) if are_urns or key.endswith("Reasons") else entries
        if not isinstance(value, str):
            return value
        text = self._without_chance(value)
        return re.sub(r"[0-9a-f]{8}$", "<chance>", text) if key == "id" else text

    def _without_chance(self, text: str) -> str:
        text = text.replace(str(self.folder.parent), "<world>")
        text = re.sub(r"(?<![0-9a-f])[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", text)
        return re.sub(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m", "", text)


def _changes(event: Json) -> bool:
    return "resourcePreEvent" in event


def _told(event: Json) -> bool:
    return "diagnosticEvent" in event and _matters(event["diagnosticEvent"])


def _matters(diagnostic: Json) -> bool:
    # The engine's own debugging lines, and what a program says that is ended because a resource
    # failed ("info#err"), come in any order and number.
    return diagnostic["severity"] not in ("debug", "info#err")


def _operation(event: Json) -> Json:
    metadata = event["metadata"]
    told = {name: metadata.get(name) for name in ("op", "urn", "diffs", "keys", "detailedDiff")}
    return {name: sorted(v) if isinstance(v, list) else v for name, v in told.items()}


def _diagnostic(entry: Json) -> str:
    name = entry.get("urn", "").rsplit("::", 1)[-1]
    return f"{entry['severity']} {name}: {entry['message'].strip()}"


def _message(event: Json) -> str:
    kind = "status" if event.get("ephemeral") else event["severity"]
    name = event.get("urn", "").rsplit("::", 1)[-1]
    return f"{kind} {name}: {event['message'].strip()}"


def difference(official: Observation, stand_in: Observation) -> str:
    """What differs between two observations, in lines."""
    one, other = (
        json.dumps(vars(seen), indent=1, sort_keys=True).splitlines()
        for seen in (official, stand_in)
    )
    return "\n".join(difflib.unified_diff(one, other, "official", "stand-in", lineterm="", n=6))


Step = typing.Callable[[Project], Observation]


def observe(
    plugin: PLUGIN,
    version: str,
    story: typing.Sequence[Step],
    folder: Path,
    settings: typing.Mapping[str, str] | None = None,
    prepare: typing.Callable[[str], typing.Mapping[str, str]] | None = None,
) -> tuple[list[Observation], list[Observation]]:
    """Play a story with the official plugin and with the stand-in, side by side.

    Args:
        plugin: Which one.
        version: The version of both.
        story: Its steps, such as `lambda project: project.up(PROGRAM)`.
        folder: A folder of the test's own.
        settings: Configuration of the stack, for both.
        prepare: Makes the world for one of them ("official" or "stand-in"); returns more
            configuration.

    Returns:
        The observations, official first.
    """
    executable = official_plugin(plugin)

    def play(which: str) -> list[Observation]:
        more = prepare(which) if prepare else {}
        home = folder / which / "home"
        project = Project(folder / which / "project", home, {**(settings or {}), **more})
        return [step(project) for step in story]

    install_official(executable, plugin, version, folder / "official" / "home")
    install_stand_in(plugin, version, folder / "stand-in" / "home")
    with ThreadPoolExecutor(2) as both:
        official, stand_in = both.map(play, ("official", "stand-in"))
    return official, stand_in
