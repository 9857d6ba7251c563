"""What the plugin makes of a program's inputs before anything runs."""

from __future__ import annotations

from local_cloud.plugins.command.input_types import Object, checked
from local_cloud.plugins.command.schema import REMOTE_COMMAND
from local_cloud.plugins.command.steps import CommandResource, replaces
from local_cloud.plugins.shared_diff import Change, diff_of_inputs
from local_cloud.plugins.shared_values import UNKNOWN, Properties, Secret


def failures(schema: Object, inputs: Properties) -> list[tuple[str, str]]:
    found = checked(schema, inputs)[1]
    return [(failure.property, failure.reason) for failure in found]


def test_a_connection_gets_its_defaults_and_becomes_secret_as_a_whole_and_by_its_keys() -> None:
    inputs, _ = checked(REMOTE_COMMAND, {"connection": {"host": "h", "privateKey": "k"}})
    assert inputs["connection"] == Secret(
        {
            "host": "h",
            "user": "root",
            "port": 22.0,
            "privateKey": Secret("k"),
            "dialErrorLimit": 10.0,
            "perDialTimeout": 15.0,
        }
    )


def test_a_proxy_gets_defaults_only_if_there_is_one() -> None:
    with_proxy, _ = checked(REMOTE_COMMAND, {"connection": {"host": "h", "proxy": {"host": "p"}}})
    assert with_proxy["connection"].value["proxy"]["port"] == 22.0
    without, _ = checked(REMOTE_COMMAND, {"connection": {"host": "h"}})
    assert "proxy" not in without["connection"].value


def test_what_is_unknown_stays_unknown() -> None:
    inputs, _ = checked(REMOTE_COMMAND, {"connection": {"host": UNKNOWN}, "create": UNKNOWN})
    assert inputs["create"] is UNKNOWN
    assert inputs["connection"].value["host"] is UNKNOWN


def test_wrong_missing_and_unheard_of_inputs_are_each_named() -> None:
    assert failures(REMOTE_COMMAND, {"create": 5.0, "colour": "red"}) == [
        ("connection", "Missing required field 'connection' on 'remote.CommandInputs'"),
        (
            "create",
            "Field 'create' on 'remote.CommandInputs' must be a 'string'; got 'float64' instead",
        ),
        ("colour", "Unrecognized field 'colour' on 'remote.CommandInputs'"),
    ]


def test_a_failure_never_shows_the_connection() -> None:
    given = {"host": "h", "privateKey": "hush", "port": "hush"}
    inputs = {"connection": Secret(given)}
    assert "hush" not in str(failures(REMOTE_COMMAND, inputs))
    assert "hush" not in repr(checked(REMOTE_COMMAND, inputs))


def test_a_change_inside_the_triggers_is_left_to_the_sdk_to_make_a_replacement() -> None:
    diff = diff_of_inputs({"triggers": ["a"]}, {"triggers": ["b"]}, replaces=replaces)
    assert diff.changes == {"triggers[0]": Change.UPDATE}
    diff = diff_of_inputs({}, {"triggers": ["b"]}, replaces=replaces)
    assert diff.changes == {"triggers": Change.ADD_REPLACE}


def test_a_command_resource_tells_its_failures_with_the_connection_secret() -> None:
    resource = CommandResource(REMOTE_COMMAND, run=None)  # type: ignore[arg-type]
    answer = resource.check(None, {}, {"connection": {"host": "h"}, "stdin": 1.0})  # type: ignore[arg-type]
    assert answer.inputs["connection"] == Secret({"host": "h"})
    assert [failure.property for failure in answer.failures] == ["stdin"]
