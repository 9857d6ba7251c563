"""After a failed update the reason stands last, and once."""

from __future__ import annotations

import json

from cli.engine.failure import failures_in, reason_in

URN = "urn:pulumi:local::slipway::slipway:index:Release$command:remote:Command::web-start"
SAID = """the last lines of site@one.service:
Traceback (most recent call last):
ValueError: no greeting
releasectl: release one failed: /healthz gives no answer
    (and the unit has failed)
"""
FAILED = f'Process exited with status 1: running "sudo sh -c \\"a \\\\ b\\"":\n{SAID}'


def event(message: str, severity: str = "error", server: str = "web") -> str:
    said = {
        "urn": URN.replace("web", server),
        "message": f"<{{%reset%}}>{message}<{{%reset%}}>\n",
        "severity": severity,
    }
    return json.dumps({"sequence": 1, "diagnosticEvent": said})


def test_a_failed_step_is_told_once_with_its_reason_alone() -> None:
    lines = [event(FAILED, "info"), event(FAILED), event(FAILED), event("update failed"), '{"cut']
    lines.append(event(FAILED, server="web-2"))
    reason = "release one failed: /healthz gives no answer\n    (and the unit has failed)"
    assert failures_in(lines) == {reason: ["web-start", "web-2-start"]}


def test_a_command_that_said_nothing_is_told_by_how_it_ended() -> None:
    silent = event('exit status 3: running "false":\n')
    assert failures_in([silent]) == {"exit status 3": ["web-start"]}


def test_of_much_that_was_said_the_end_is_told() -> None:
    assert reason_in("\n".join(str(number) for number in range(9))) == "4\n5\n6\n7\n8"
