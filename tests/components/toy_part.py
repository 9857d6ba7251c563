"""A part of a server as somebody adds one: this file and its template, and not a line elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi
from jinja2 import FileSystemLoader

from components.core.put_file import PutFile, Unit
from components.core.render import environment
from components.servers.remote import Host, RemoteFile

TIMER, SERVICE, SCRIPT = "etc/systemd/system/toy.timer", "etc/systemd/system/toy.service", "bin/toy"
_TEMPLATES = environment(FileSystemLoader(Path(__file__).parent))


@dataclass(frozen=True, kw_only=True)
class ToyArgs:
    host: Host
    root: Path
    """Where the test has its server."""
    owner: str


class Toy(pulumi.ComponentResource):
    """A script that a timer runs."""

    def __init__(self, name: str, args: ToyArgs) -> None:
        super().__init__("test:index:Toy", name)
        script = f"{args.root}/{SCRIPT}"
        timer = Unit(name="toy.timer", verb="restart")
        before: list[pulumi.Resource] = []
        for path, mode, unit, content in (
            (SCRIPT, "0755", None, "#!/bin/sh\necho hello\n"),
            (SERVICE, "0644", None, f"[Service]\nType=oneshot\nExecStart={script}\n"),
            (TIMER, "0644", timer, _TEMPLATES.get_template("toy.timer.j2").render(when="daily")),
        ):
            file = RemoteFile(
                f"{args.host.name}-{Path(path).name}",
                host=args.host,
                put=PutFile(path=f"{args.root}/{path}", mode=mode, owner=args.owner, unit=unit),
                content=content,
                opts=args.host.options(self, depends_on=before),
            )
            before = [file]
        self.register_outputs({})
