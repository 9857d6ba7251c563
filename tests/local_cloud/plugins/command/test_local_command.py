"""Stories of `local.Command`."""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

import pytest

from local_cloud.plugins.shared_values import UNKNOWN, Asset, Secret
from tests.local_cloud.plugins.command.plugin import LOCAL, Plugin, PluginRefusedError


def test_a_command_runs_at_creation_and_its_output_is_kept(plugin: Plugin) -> None:
    outputs = plugin.create(LOCAL, {"create": "echo one; echo two >&2"})
    assert (outputs["stdout"], outputs["stderr"]) == ("one", "two")


def test_its_lines_are_shown_as_they_come(plugin: Plugin, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    command = f"echo early; while [ ! -e {gate} ]; do sleep 0.05; done; echo late"
    work = threading.Thread(target=plugin.create, args=(LOCAL, {"create": command}))
    work.start()
    plugin.engine.wait_for("early")
    gate.touch()
    work.join()
    assert plugin.engine.lines == ["early", "late"]


@pytest.mark.parametrize(
    ("logging", "shown"),
    [(None, {"out", "err"}), ("stdout", {"out"}), ("stderr", {"err"}), ("none", set())],
)
def test_logging_chooses_what_is_shown_but_not_what_is_kept(
    plugin: Plugin, logging: str | None, shown: set[str]
) -> None:
    outputs = plugin.create(LOCAL, {"create": "echo out; echo err >&2", "logging": logging})
    assert set(plugin.engine.lines) == shown
    assert (outputs["stdout"], outputs["stderr"]) == ("out", "err")


def test_a_line_longer_than_any_screen_is_shown_and_kept(plugin: Plugin) -> None:
    outputs = plugin.create(LOCAL, {"create": "head -c 200000 /dev/zero | tr '\\0' x"})
    assert outputs["stdout"] == "x" * 200_000
    assert "".join(plugin.engine.lines) == "x" * 200_000


def test_an_update_runs_update_and_else_create(plugin: Plugin) -> None:
    state = {"create": "echo made", "stdout": "made", "stderr": ""}
    both = {"create": "echo made", "update": "echo changed"}
    assert plugin.update(LOCAL, state, both)["stdout"] == "changed"
    assert plugin.update(LOCAL, state, {"create": "echo again"})["stdout"] == "again"
    assert plugin.update(LOCAL, state, {"delete": "true"})["stdout"] == "made"


def test_a_command_knows_what_the_last_one_said_unless_told_not_to(plugin: Plugin) -> None:
    state = {"create": "a", "stdout": "before", "stderr": ""}
    command = {"create": "echo [$PULUMI_COMMAND_STDOUT]"}
    assert plugin.update(LOCAL, state, command)["stdout"] == "[before]"
    command["addPreviousOutputInEnv"] = False  # type: ignore[assignment]
    assert plugin.update(LOCAL, state, command)["stdout"] == "[]"


def test_deletion_runs_delete(plugin: Plugin, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    plugin.delete(LOCAL, {"delete": f"touch {mark}", "stdout": "", "stderr": ""})
    assert mark.exists()
    plugin.delete(LOCAL, {"stdout": "", "stderr": ""})


def test_a_preview_runs_nothing_and_promises_nothing(plugin: Plugin, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    outputs = plugin.create(LOCAL, {"create": f"touch {mark}"}, preview=True)
    assert (outputs["stdout"], outputs["stderr"]) == (UNKNOWN, UNKNOWN)
    assert not mark.exists()


def test_a_preview_keeps_old_output_only_if_nothing_it_depends_on_changes(plugin: Plugin) -> None:
    state = {"create": "a", "stdout": "old", "stderr": ""}
    same = plugin.update(LOCAL, state, {"create": "a", "update": "u"}, preview=True)
    other = plugin.update(LOCAL, state, {"create": "b"}, preview=True)
    assert (same["stdout"], other["stdout"]) == ("old", UNKNOWN)


def test_input_folder_variables_and_interpreter_are_heeded(plugin: Plugin, tmp_path: Path) -> None:
    command = {
        "create": "import os, sys; print(sys.stdin.read(), os.getcwd(), os.environ['NAME'])",
        "interpreter": ["python3", "-c"],
        "stdin": Secret("given"),
        "dir": str(tmp_path),
        "environment": {"NAME": "value"},
    }
    outputs = plugin.create(LOCAL, command)
    assert outputs["stdout"] == f"given {tmp_path} value"
    assert outputs["stdin"] == Secret("given")


def test_input_that_nobody_reads_is_no_failure(plugin: Plugin) -> None:
    assert plugin.create(LOCAL, {"create": "true", "stdin": "x" * 1_000_000})["stdout"] == ""


def test_a_command_inherits_nothing_from_how_the_plugin_was_started(plugin: Plugin) -> None:
    outputs = plugin.create(LOCAL, {"create": "env"})
    names = {line.split("=")[0] for line in outputs["stdout"].splitlines()} - set(os.environ)
    assert not [name for name in names if name.startswith(("PYTHON", "GRPC", "SLIPWAY"))]


def test_a_failure_tells_the_command_and_its_output_but_never_its_input(plugin: Plugin) -> None:
    with pytest.raises(PluginRefusedError) as refused:
        plugin.create(LOCAL, {"create": "cat >/dev/null; echo why; exit 3", "stdin": "hush"})
    assert str(refused.value) == (
        'exit status 3: running "cat >/dev/null; echo why; exit 3":\nwhy\n'
    )


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"create": "x", "dir": "/nowhere"}, "chdir /nowhere: no such file or directory"),
        ({"create": "x", "interpreter": ["/no/sh"]}, "fork/exec /no/sh: no such file"),
        ({"create": "x", "interpreter": ["no-sh"]}, 'exec: "no-sh": executable file not found'),
        ({"create": "kill -TERM $$"}, "signal: terminated"),
    ],
)
def test_what_cannot_run_is_told_in_the_system_s_words(
    plugin: Plugin, inputs: dict[str, object], reason: str
) -> None:
    with pytest.raises(PluginRefusedError, match=re.escape(reason)):
        plugin.create(LOCAL, inputs)


def test_an_interrupt_ends_the_command_and_what_it_started(plugin: Plugin, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    command = f"(sleep 3; touch {mark}) & echo started; wait"
    failures = []

    def run() -> None:
        try:
            plugin.create(LOCAL, {"create": command})
        except PluginRefusedError as refused:
            failures.append(str(refused))

    work = threading.Thread(target=run)
    work.start()
    plugin.engine.wait_for("started")
    begin = time.monotonic()
    plugin.cancel()
    work.join()
    assert time.monotonic() - begin < 2
    assert failures[0].startswith("signal: killed: running")
    time.sleep(3.2)
    assert not mark.exists()


def test_a_time_limit_ends_the_command(plugin: Plugin) -> None:
    begin = time.monotonic()
    with pytest.raises(PluginRefusedError, match="signal: killed"):
        plugin.create(LOCAL, {"create": "sleep 30"}, timeout=0.5)
    assert time.monotonic() - begin < 5


def test_files_left_behind_become_assets_and_an_archive(plugin: Plugin, tmp_path: Path) -> None:
    command = {
        "create": "mkdir -p sub; echo 1 >a.txt; echo 2 >sub/b.txt; echo 3 >sub/secret.txt",
        "dir": str(tmp_path),
        "assetPaths": ["**.txt", "!**secret*"],
        "archivePaths": ["*.txt"],
    }
    outputs = plugin.create(LOCAL, command)
    assert set(outputs["assets"]) == {"a.txt", "sub/b.txt"}
    assert outputs["archive"].assets == {
        "a.txt": Asset(
            hash="4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865",
            path=str(tmp_path / "a.txt"),
        )
    }


def test_what_the_stand_in_does_not_cover_is_refused_by_name(plugin: Plugin) -> None:
    with pytest.raises(PluginRefusedError, match="command:remote:CopyFile is not covered"):
        plugin.check("command:remote:CopyFile", {})
