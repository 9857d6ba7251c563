"""A preview as a comment for a pull request."""

from __future__ import annotations

from typing import Any

from cli.engine.preview_markdown import LONGEST_DIFF, Change, changes_in, markdown


def step(op: str, kind: str, name: str, diffs: list[str] | None = None) -> dict[str, Any]:
    urn = f"urn:pulumi:dev::slipway::{kind}::{name}"
    state = {"urn": urn, "custom": not kind.startswith("slipway:")}
    metadata = {"op": op, "urn": urn, "type": kind, "old": state, "new": state, "diffs": diffs}
    return {"resourcePreEvent": {"metadata": metadata}}


DROPLET = "digitalocean:index/droplet:Droplet"
COMMAND = "command:remote:Command"


def test_a_change_says_what_happens_to_what_and_because_of_what() -> None:
    (change,) = changes_in([step("update", COMMAND, "web-nginx", ["stdin"])])
    assert change == Change(
        what="changed", noun="step on a server", name="web-nginx", because=("stdin",)
    )


def test_what_stays_and_what_is_no_thing_of_its_own_is_not_told() -> None:
    events = [
        step("same", DROPLET, "web"),
        step("create", "slipway:index:Server", "web-2"),
        step("create-replacement", DROPLET, "web"),
        {"summaryEvent": {}},
    ]
    assert changes_in(events) == []


def test_what_is_lost_comes_first_and_the_database_before_all() -> None:
    events = [
        step("create", DROPLET, "web-3"),
        step("update", COMMAND, "web-nginx"),
        step("delete", DROPLET, "web-2"),
        step("replace", DROPLET, "db", ["region"]),
    ]
    changes = changes_in(events)
    assert [c.name for c in changes] == ["db", "web-2", "web-3", "web-nginx"]
    said = markdown("dev", changes, "")
    assert "[!CAUTION]\n> **The database server `db` is replaced: all its data is lost.**" in said
    assert said.index("CAUTION") < said.index("The server `web-2` is destroyed")
    assert "**1 destroyed**, **1 replaced**, **1 created**, **1 changed**" in said
    assert "| replaced | server | `db` | `region` |" in said


def test_marks_stand_at_the_start_of_the_line_where_a_diff_is_coloured() -> None:
    diff = (
        "    ~ command:remote:Command: (update)\n"
        "        [id=web-nginx0276]\n"
        "        [urn=urn:pulumi:dev::slipway::Web$command:remote:Command::web-nginx]\n"
        "          -     listen 80;\n"
        "          +     listen 8081;\n"
    )
    said = markdown("dev", changes_in([step("update", COMMAND, "web-nginx")]), diff)
    assert "!      command:remote:Command: (update)\n         [web-nginx]\n" in said
    assert "\n-                listen 80;\n+                listen 8081;\n" in said
    assert "0276" not in said


def test_nothing_to_change_and_a_failure_are_said_so() -> None:
    assert markdown("dev", [], "").endswith("Nothing changes.\n")
    said = markdown("dev", [], "", "error: slipway:webPort is 70000")
    assert "**The preview failed.**" in said
    assert "slipway:webPort is 70000" in said
    assert "Nothing changes" not in said


def test_a_comment_is_not_longer_than_github_takes() -> None:
    changes = changes_in([step("update", COMMAND, "web-nginx")])
    said = markdown("dev", changes, "+ more\n" * 100_000 + "```\n")
    assert len(said) < LONGEST_DIFF + 2000
    assert "scripts/preview shows all of it" in said
