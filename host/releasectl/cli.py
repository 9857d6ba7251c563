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
from .console import BUSY, ReleaseError, exit_on_signal, format_os_error, say
from .drain import drain_instance, drain_server
from .entrance import watch_entrance
from .lock import Lock
from .overview import overview, pruned
from .pending_switch import revert_switch
from .prune import drop_release, prune_releases
from .release_command import run_release_command
from .stage import pack_release, receive_release, stage_release, unmark_bad
from .start import start_release
from .status import status_of
from .switch import activate_release, confirm_switch, switch_release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def id_argument(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{12}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a release id (12 hexadecimal digits)")
    return text


def instance_argument(text: str) -> str:
    if not re.fullmatch("[0-9a-f]{12}-[0-9a-f]{8}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not an instance (`status` shows them)")
    return text


def app_argument(text: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9-]{0,30}", text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected lower-case letters, digits and -")
    return text


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="releasectl", description="The releases of one application on one server."
    )
    parser.add_argument("--app", required=True, type=app_argument, help="the application's name")
    parser.add_argument("--by", default="", help="who runs this, or @FILE to read it from FILE")
    parser.add_argument(
        "--wait", type=float, default=60, metavar="SECONDS",
        help="how long to wait for another releasectl (default: 60)",
    )  # fmt: skip
    parser.add_argument("--root", type=Path, default=Path("/"), help="root directory (for tests)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, with_id: bool = True) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        if with_id:
            added.add_argument("id", type=id_argument, metavar="ID")
        return added

    stage = command("stage", "unpack and prepare an uploaded release (JSON record on stdin)")
    stage.add_argument("--archive", type=Path, help="default: incoming/ID.tar.gz")
    stage.add_argument("--kept", action="store_true", help="refuse it if it is marked BAD")
    stage.add_argument(
        "--receive", action="store_true",
        help="print `send` if the archive is needed, and read it from standard input after the"
        " line with the record",
    )  # fmt: skip
    command("unmark-bad", "remove the mark BAD from a release")
    command("pack", "write the archive of a staged release to standard output")
    release_command = command("release-command", "run the release command, once per release")
    release_command.add_argument(
        "--command", dest="shell", help="default: release_command in app.json"
    )
    release_command.add_argument("--again", action="store_true", help="even if it ran before")
    release_command.add_argument(
        "--database", default="", help="name of the database: in another one it runs again"
    )
    command("start", "start a release beside the one that serves, and wait until it is healthy")
    switch = command("switch", "send visitors to a release, then stop the one that served before")
    switch.add_argument(
        "--confirm-within", type=float, default=0, metavar="SECONDS",
        help="go back unless `confirm` is run within that time (0: no confirmation needed)",
    )  # fmt: skip
    switch.add_argument(
        "--watch", type=float, default=0, metavar="SECONDS",
        help="keep checking its health that long",
    )  # fmt: skip
    switch.add_argument(
        "--watch-behind-balancer", type=float, default=0, metavar="SECONDS",
        help="at least that long if there is a load balancer",
    )  # fmt: skip
    watch = command("watch", "check the health of what serves as visitors see it", with_id=False)
    watch.add_argument(
        "--seconds", type=float, default=0, help="keep checking that long (default: check once)"
    )
    command("confirm", "confirm a switch: stop what served before, with no way back")
    revert = command("revert", "undo a switch that has not been confirmed", with_id=False)
    revert.add_argument("--pending", default="", metavar="ID", help="only if it is this switch")
    command("activate", "start and switch")
    command("drain-server", "wait until no visitor is being served", with_id=False)
    drain = command("drain-instance", "stop an instance once its requests are done", with_id=False)
    drain.add_argument("instance", type=instance_argument, metavar="INSTANCE")
    command("drop", "remove a release")
    command("prune", "remove old releases (keep_releases in app.json stay)", with_id=False)
    listed = command("list", "show the releases", with_id=False)
    listed.add_argument("--json", action="store_true")
    listed.add_argument("--all", action="store_true", help="include releases that were removed")
    command("status", "show the release that serves, and all releases, as JSON", with_id=False)
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


def performer(said: str) -> str:
    """Who runs this: the name given, the one in the file given as @FILE, or the shell's user."""
    if said.startswith("@"):
        try:
            said = Path(said[1:]).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            said = ""
    return said or os.environ.get("SUDO_USER") or os.environ.get("USER") or "root"


def run(arguments: argparse.Namespace) -> dict[str, Any]:
    by = performer(arguments.by)
    app = App(arguments.app, arguments.root, by)
    without_lock: dict[str, Callable[[], dict[str, Any]]] = {
        "list": lambda: {"releases": overview(app) + (pruned(app) if arguments.all else [])},
        "status": lambda: status_of(app),
        "drain-server": lambda: drain_server(app),
        "watch": lambda: watch_entrance(app, arguments.seconds),
        "drain-instance": lambda: drain_instance(app, arguments.instance),
        "pack": lambda: pack_release(app, arguments.id),
    }
    if arguments.command in without_lock:
        return without_lock[arguments.command]()
    what = " ".join(filter(None, [arguments.command, getattr(arguments, "id", "")]))
    record = record_from_stdin(arguments.receive) if arguments.command == "stage" else {}
    app.prepare()
    if arguments.command == "stage" and arguments.receive:
        receive_release(app, arguments.id)
    owner = f"{by} (pid {os.getpid()}, since {now()}, {what})"
    with Lock(app.base / "lock", owner, arguments.wait):
        app.journal.began = time.monotonic()
        return run_locked(app, arguments, record)


def run_locked(app: App, arguments: argparse.Namespace, record: dict[str, Any]) -> dict[str, Any]:
    """Run one of the commands that need the lock."""
    with_lock: dict[str, Callable[[], dict[str, Any]]] = {
        "stage": lambda: stage_release(
            app, arguments.id, arguments.archive, record, arguments.kept
        ),
        "unmark-bad": lambda: unmark_bad(app, arguments.id),
        "release-command": lambda: run_release_command(
            app, arguments.id, arguments.shell, arguments.again, arguments.database
        ),
        "start": lambda: start_release(app, arguments.id),
        "switch": lambda: switch_release(
            app,
            arguments.id,
            arguments.confirm_within,
            arguments.watch,
            arguments.watch_behind_balancer,
        ),
        "confirm": lambda: confirm_switch(app, arguments.id),
        "revert": lambda: revert_switch(app, arguments.pending),
        "activate": lambda: activate_release(app, arguments.id),
        "drop": lambda: drop_release(app, arguments.id),
        "prune": lambda: prune_releases(app),
    }
    return with_lock[arguments.command]()


def main() -> int:
    arguments = command_line().parse_args()
    os.umask(0o022)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, exit_on_signal)
    try:
        result = run(arguments)
        status = 0
    except (ReleaseError, OSError) as error:
        text = format_os_error(error) if isinstance(error, OSError) else str(error)
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
