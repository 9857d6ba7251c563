"""The command line."""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

from .app import App
from .clock import now
from .console import BUSY, ReleaseError, explained, say, stop_in_order
from .drain import drain_instance, wait_until_idle
from .entrance import watch_entrance
from .lock import Lock
from .overview import overview, pruned
from .pending_switch import revert_switch
from .prune import drop_release, prune_releases
from .release_command import run_release_command
from .stage import forgive_release, pack_release, receive_release, stage_release
from .start import start_release
from .status import status_of
from .switch import activate_release, settle_switch, switch_release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def id_argument(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{12}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no release id (12 hexadecimal digits)")
    return text


def instance_argument(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{12}-[0-9a-f]{8}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no instance (`status` shows them)")
    return text


def app_argument(text: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9-]{0,30}", text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected small letters, digits and -")
    return text


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="releasectl", description="The releases of one application on one server."
    )
    parser.add_argument("--app", required=True, type=app_argument, help="the application's name")
    parser.add_argument("--by", default="", help="who does this; @FILE: whoever FILE says")
    parser.add_argument(
        "--wait", type=float, default=60, metavar="SECONDS", help="for another releasectl (60)"
    )
    parser.add_argument("--root", type=Path, default=Path("/"), help="another / (for tests)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, with_id: bool = True) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        if with_id:
            added.add_argument("id", type=id_argument, metavar="ID")
        return added

    stage = command("stage", "unpack and prepare an uploaded release (its record on stdin: JSON)")
    stage.add_argument("--archive", type=Path, help="default: incoming/ID.tar.gz")
    stage.add_argument("--kept", action="store_true", help="refuse it if it is marked BAD")
    command("forgive", "take the mark BAD from a release")
    stage.add_argument(
        "--receive", action="store_true",
        help="say `send` on standard output if the archive is needed, and read it from standard"
        " input, behind the record's line",
    )  # fmt: skip
    command("pack", "write the archive of a staged release to standard output, and nothing else")
    migrate = command("migrate", "run the release command, once for a release")
    migrate.add_argument("--command", dest="shell", help="default: release_command in app.json")
    migrate.add_argument("--again", action="store_true", help="even if it ran before")
    migrate.add_argument("--database", default="", help="which one: in another it runs again")
    command("start", "start a release beside the one that serves, and wait for its health")
    switch = command("switch", "send the visitors to a release, then stop the one that served")
    switch.add_argument(
        "--settle-within", type=float, default=0, metavar="SECONDS",
        help="go back by itself unless `settle` comes within that time (0: settled at once)",
    )  # fmt: skip
    switch.add_argument(
        "--watch", type=float, default=0, metavar="SECONDS", help="ask for its health that long"
    )
    switch.add_argument(
        "--balancer-judges-in", type=float, default=0, metavar="SECONDS",
        help="ask that long where there is a load balancer",
    )  # fmt: skip
    watch = command("watch", "ask for the health of what serves as visitors do", with_id=False)
    watch.add_argument("--seconds", type=float, default=0, help="so long, again and again (0)")
    command("settle", "stop what served before a switch: there is no way back from here")
    revert = command("revert", "go back from a switch that is not settled", with_id=False)
    revert.add_argument("--promise", default="", metavar="ID", help="only from this very switch")
    command("activate", "start and switch")
    command("idle", "wait until no visitor is being served here", with_id=False)
    drain = command("drain", "stop an instance once its requests have ended", with_id=False)
    drain.add_argument("instance", type=instance_argument, metavar="INSTANCE")
    command("drop", "remove a release")
    command("prune", "remove the releases nobody will go back to", with_id=False)
    listed = command("list", "show the releases", with_id=False)
    listed.add_argument("--json", action="store_true")
    listed.add_argument("--all", action="store_true", help="also those that are gone")
    command("status", "show what serves, and the releases, as JSON", with_id=False)
    return parser


def record_from_stdin(more_follows: bool) -> dict[str, Any]:
    if sys.stdin is None or sys.stdin.isatty():
        return {}
    source = sys.stdin.buffer
    text = source.readline() if more_follows else source.read()
    try:
        record = json.loads(text.strip() or "{}")
    except ValueError as error:
        raise ReleaseError(f"the record on stdin is not valid JSON: {error}") from None
    if not isinstance(record, dict):
        raise ReleaseError("the record on stdin: expected a JSON object")
    return record


def table_of(rows: list[dict[str, Any]]) -> str:
    lines = ["RELEASE       STATE     FIRST ACTIVE          COMMIT   AUTHOR  MESSAGE"]
    for row in rows:
        commit = str(row.get("commit") or "")[:7].ljust(7)
        story = f"{row.get('author') or ''}  {row.get('message') or row.get('reason') or ''}"
        active = (row["activated_at"] or "-").ljust(20)
        lines.append(f"{row['id']}  {row['state']:8}  {active}  {commit}  {story}".rstrip())
    return "\n".join(lines)


def person(said: str) -> str:
    """Who is at work: as said, or in a file, or whose shell this is."""
    if said.startswith("@"):
        try:
            said = Path(said[1:]).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            said = ""
    return said or os.environ.get("SUDO_USER") or os.environ.get("USER") or "root"


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    by = person(arguments.by)
    app = App(arguments.app, arguments.root, by)
    looks: dict[str, Callable[[], dict[str, Any]]] = {
        "list": lambda: {"releases": overview(app) + (pruned(app) if arguments.all else [])},
        "status": lambda: status_of(app),
        "idle": lambda: wait_until_idle(app),
        "watch": lambda: watch_entrance(app, arguments.seconds),
        "drain": lambda: drain_instance(app, arguments.instance),
        "pack": lambda: pack_release(app, arguments.id),
    }
    if arguments.command in looks:
        return looks[arguments.command]()
    what = " ".join(filter(None, [arguments.command, getattr(arguments, "id", "")]))
    record = record_from_stdin(arguments.receive) if arguments.command == "stage" else {}
    app.prepare()
    if arguments.command == "stage" and arguments.receive:
        receive_release(app, arguments.id)
    owner = f"{by} (pid {os.getpid()}, since {now()}, {what})"
    with Lock(app.base / "lock", owner, arguments.wait):
        app.journal.began = time.monotonic()
        return change(app, arguments, record)


def change(app: App, arguments: argparse.Namespace, record: dict[str, Any]) -> dict[str, Any]:
    """What one releasectl at a time does."""
    changes: dict[str, Callable[[], dict[str, Any]]] = {
        "stage": lambda: stage_release(
            app, arguments.id, arguments.archive, record, arguments.kept
        ),
        "forgive": lambda: forgive_release(app, arguments.id),
        "migrate": lambda: run_release_command(
            app, arguments.id, arguments.shell, arguments.again, arguments.database
        ),
        "start": lambda: start_release(app, arguments.id),
        "switch": lambda: switch_release(
            app,
            arguments.id,
            arguments.settle_within,
            arguments.watch,
            arguments.balancer_judges_in,
        ),
        "settle": lambda: settle_switch(app, arguments.id),
        "revert": lambda: revert_switch(app, arguments.promise),
        "activate": lambda: activate_release(app, arguments.id),
        "drop": lambda: drop_release(app, arguments.id),
        "prune": lambda: prune_releases(app),
    }
    return changes[arguments.command]()


def main() -> int:
    arguments = command_line().parse_args()
    os.umask(0o022)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop_in_order)
    try:
        result = run(arguments)
        status = 0
    except (ReleaseError, OSError) as error:
        text = explained(error) if isinstance(error, OSError) else str(error)
        status = error.status if isinstance(error, ReleaseError) else 1
        result = {"id": getattr(arguments, "id", None), "changed": False, "error": text}
        say(f"releasectl: {text}")
    if arguments.command == "pack":
        return status
    if arguments.command == "list" and not arguments.json and status == 0:
        text = table_of(result["releases"])
    else:
        outcome = {0: "ok", BUSY: "busy"}.get(status, "failed")
        head = {"app": arguments.app, "command": arguments.command, "outcome": outcome}
        text = json.dumps({**head, **result})
    sys.stdout.write(text + "\n")
    return status
