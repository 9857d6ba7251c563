"""What is told of before it is made: a change that interrupts something."""

from __future__ import annotations

from typing import Any

from cli.project.environments import defaults
from components.settings import interruption
from components.settings.load import parse


def told(earlier: dict[str, Any], **given: Any) -> list[str]:
    return interruption.warnings(
        parse({**defaults(), **given}), {interruption.OUTPUT: earlier}, project="slipway"
    )


def test_a_first_update_and_one_that_changes_nothing_interrupt_nothing() -> None:
    assert interruption.warnings(parse(defaults()), {}, project="slipway") == []
    assert told(interruption.of(parse(defaults()))) == []


def test_each_interruption_is_told_with_the_setting_and_what_it_was() -> None:
    earlier = {"webSize": "s-1vcpu-1gb", "dbSize": "s-1vcpu-1gb", "dbConnections": "500"}
    assert told(earlier, webSize="s-1vcpu-2gb") == [
        "web will be switched off for a moment, and nobody is served meanwhile:"
        " slipway:webSize is s-1vcpu-2gb, and was s-1vcpu-1gb"
    ]
    assert told(earlier, webSize="s-1vcpu-2gb", webCount=2)[0].startswith(
        "web, web-2 will be switched off for a moment, one after the other: slipway:webSize is"
    )
    assert [each.split()[0] for each in told(earlier, dbSize="s-1vcpu-2gb", dbConnections=99)] == [
        "db",
        "PostgreSQL",
    ]


def test_on_servers_of_one_s_own_there_are_no_sizes() -> None:
    own = {"webHosts": ["192.0.2.1"], "dbHost": "192.0.2.2"}
    assert told({"webSize": "s-1vcpu-1gb"}, webSize="s-1vcpu-2gb", **own) == []
