"""Where the time of an update goes: from the engine's trace to a drawing."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from cli.timeline import timeline
from cli.timeline.recording import Recording
from cli.timeline.timeline import Part, Step
from cli.timeline.timeline_svg import drawing
from local_cloud.plugins.shared_stopwatch import Stopwatch

SECOND = 1_000_000_000
BEGAN = 1_795_195_078 * SECOND


def span(name: str, began: float, ended: float, **attributes: str) -> dict[str, Any]:
    return {
        "name": name,
        "startTimeUnixNano": str(BEGAN + int(began * SECOND)),
        "endTimeUnixNano": str(BEGAN + int(ended * SECOND)),
        "attributes": [
            {"key": key, "value": {"stringValue": value}} for key, value in attributes.items()
        ],
    }


def trace(*spans: dict[str, Any]) -> list[str]:
    """One line for each, as the engine writes them when they end."""
    ended = sorted(spans, key=lambda each: int(each["endTimeUnixNano"]))
    return [
        json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [each]}]}]}) + "\n"
        for each in ended
    ]


UPDATE = trace(
    span("pulumi", 0, 5),
    span("pulumi-plan", 0.2, 4.9),
    span("pulumirpc.LanguageRuntime/GetRequiredPlugins", 0.2, 0.6),
    span("run-program", 0.6, 4.7),
    span("pulumirpc.ResourceMonitor/GetDeploymentInfo", 0.8, 0.8),
    span("pulumirpc.ResourceMonitor/RegisterResource", 1.3, 3.0),
    span("newPlugin", 1.4, 1.5, bin="/plugins/pulumi-resource-command"),
    span("pulumirpc.ResourceProvider/Update", 2.5, 4.0),
    span("pulumirpc.ResourceMonitor/RegisterResource", 2.0, 4.5),
    span("pulumirpc.ResourceProvider/Create", 2.0, 2.9, Msg="a request with a secret"),
)


def test_an_update_is_told_step_by_step() -> None:
    spans = timeline.spans_of(UPDATE)
    steps = timeline.steps_of(spans, ["web-archive", "web-switch"])
    told = {step.what: (round(step.at, 3), round(step.seconds, 3)) for step in steps}
    assert told == {
        "engine: start, reading the state": (0, 0.2),
        "engine: which plugins the program needs": (0.2, 0.4),
        "program: Python and the SDK": (0.6, 0.2),
        "program: imports, up to its first request": (0.8, 0.5),
        "program: its 2 resources": (1.3, 3.2),
        "plugin command: start": (1.4, 0.1),
        "create web-archive": (2.0, 0.9),
        "update web-switch": (2.5, 1.5),
        "program: end": (4.5, 0.2),
        "engine: end, writing the state": (4.7, 0.3),
    }
    assert [step.at for step in steps] == sorted(step.at for step in steps)


def test_another_command_of_the_engine_has_no_timeline() -> None:
    assert timeline.steps_of(timeline.spans_of(trace(span("pulumi", 0, 0.2))), []) == []
    assert timeline.steps_of([], []) == []


def test_of_a_trace_only_names_and_times_are_kept() -> None:
    assert "secret" not in repr(timeline.spans_of(UPDATE))


def test_changes_without_a_known_name_are_told_all_the_same() -> None:
    steps = timeline.steps_of(timeline.spans_of(UPDATE), [])
    assert {"create", "update"} <= {step.what for step in steps}


def test_changed_resources_are_read_in_the_order_of_their_ends() -> None:
    said = (
        " ~  command:remote:Command web-stage updating (0s) [diff: ~create]\n"
        " ~  command:remote:CopyToRemote web-archive updated (0.20s) [diff: ~source]\n"
        "@ updating....\n"
        " ~  command:remote:Command web-stage updated (0.11s) [diff: ~create]\n"
        " +  digitalocean:index:Tag site-web created (0.1s) \n"
        "    pulumi:pulumi:Stack slipway-local  \n"
        "Resources:\n    ~ 2 updated\n    38 unchanged\n"
    )
    assert timeline.changed_resources(said) == ["web-archive", "web-stage", "site-web"]


def test_the_table_of_a_timeline_shows_when_and_how_long() -> None:
    shown = timeline.as_table([timeline.Step("first", 0, 1), timeline.Step("second", 1, 1)])
    first, second = shown.splitlines()[1:]
    assert first.split()[:2] == ["0", "1000"]
    assert second.split()[:2] == ["1000", "1000"]
    assert first.count("█") == second.count("█") == 20
    assert first.index("█") < second.index("█")
    assert timeline.as_table([]) == ""


def test_a_change_is_told_with_its_parts_and_from_the_begin_of_the_script() -> None:
    began = BEGAN / SECOND
    parts = [
        Part("web-archive", "connect", began + 2.0, began + 2.5),
        Part("web-archive", "transfer", began + 2.5, began + 2.9),
    ]
    names = ["web-archive", "web-switch"]
    steps = timeline.steps_of(timeline.spans_of(UPDATE), names, parts, since=began - 1)
    told = {step.what: (round(step.at, 3), round(step.seconds, 3), step.kind) for step in steps}
    assert told["scripts: set-up, local cloud, stack"] == (0, 1, "engine")
    assert told["create web-archive"] == (3, 0.9, "remote")
    assert told["connect web-archive"] == (3, 0.5, "connect")
    assert told["transfer web-archive"] == (3.5, 0.4, "transfer")


def test_a_plugin_writes_parts_where_somebody_wants_to_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLIPWAY_TIMELINE", raising=False)
    Stopwatch("unseen").lap("connect")
    file = tmp_path / "parts"
    monkeypatch.setenv("SLIPWAY_TIMELINE", str(file))
    watch = Stopwatch("web-stage")
    watch.lap("connect")
    watch.lap("command")
    connect, command = timeline.parts_of(file.read_text().splitlines())
    assert (connect.resource, connect.what, command.what) == ("web-stage", "connect", "command")
    assert connect.began <= connect.ended == command.began <= command.ended


def test_the_drawing_has_a_bar_for_each_step_where_it_was() -> None:
    steps = [Step("first & last", 0, 1, "engine"), Step("second", 1, 2, "remote")]
    root = ElementTree.fromstring(drawing("an update", steps))
    name = "{http://www.w3.org/2000/svg}"
    first, second = [each for each in root.iter(f"{name}rect") if each.attrib["width"] != "10"]
    assert float(second.attrib["width"]) == pytest.approx(2 * float(first.attrib["width"]), abs=0.2)
    assert float(second.attrib["x"]) > float(first.attrib["x"])
    said = [each.text for each in root.iter(f"{name}text")]
    assert {"an update", "first & last", "1000 ms", "second", "2000 ms"} <= set(said)


def test_notes_of_an_update_become_a_drawing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trace").write_text("".join(UPDATE))
    (tmp_path / "said").write_text(" +  command:remote:CopyToRemote web-archive created (1s)\n")
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path))
    Recording(tmp_path, BEGAN / SECOND - 1).draw("local")
    file = tmp_path / "timeline-local.svg"
    assert capsys.readouterr().err == f"slipway: local: where the time went: {file}\n"
    text = file.read_text()
    assert "scripts/up local, 6.0 s" in text
    assert "create web-archive" in text
    assert "secret" not in text


def test_without_a_trace_that_is_said_and_nothing_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path))
    Recording(tmp_path, 0).draw("local")
    assert capsys.readouterr().err == (
        "slipway: there is no timeline: the engine wrote no trace of an update\n"
    )
    assert list(tmp_path.iterdir()) == []
