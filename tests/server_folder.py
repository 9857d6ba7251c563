"""A folder that stands for a server: the tools of host/ run in it, with a systemctl of ours."""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

HOST = Path(__file__).resolve().parent.parent / "host"
# A unit is running, or enabled, where a file says so; every call is written down.
SYSTEMCTL = """\
#!/bin/sh
echo "$*" >>"$FAKE/systemctl.log"
for word in "$@"; do unit=$word; done
case $1 in
  enable) touch "$FAKE/enabled-$unit" ;;
  is-enabled) [ -e "$FAKE/enabled-$unit" ] && { echo enabled; exit; }; echo disabled; exit 1 ;;
  is-active) [ -e "$FAKE/active-$unit" ] && { echo active; exit; }; echo inactive; exit 3 ;;
  disable) rm -f "$FAKE/enabled-$unit" "$FAKE/active-$unit" ;;
  stop) rm -f "$FAKE/active-$unit" ;;
  start | restart | reload-or-restart) touch "$FAKE/active-$unit" ;;
esac
"""
SUDO = '#!/bin/sh\nexec env "$@"\n'


@dataclass(frozen=True)
class ServerFolder:
    root: Path

    @classmethod
    def new(cls, root: Path) -> ServerFolder:
        server = cls(root / "server")
        for folder in (server.root, server.fake):
            folder.mkdir()
        for name, text in {"systemctl": SYSTEMCTL, "sudo": SUDO}.items():
            (server.fake / name).write_text(text)
            (server.fake / name).chmod(0o755)
        return server

    @property
    def fake(self) -> Path:
        return self.root.with_name("fake")

    @property
    def records(self) -> Path:
        return self.root.with_name("records")

    @property
    def owner(self) -> str:
        """Who runs the tests, for they may not be root."""
        return f"{pwd.getpwuid(os.geteuid()).pw_name}:{grp.getgrgid(os.getegid()).gr_name}"

    @property
    def path(self) -> str:
        """Of programs."""
        return f"{self.fake}:{HOST}:{os.environ['PATH']}"

    def run(self, command: str, stdin: str = "") -> str:
        """What a shell command says on standard error."""
        return subprocess.run(
            ["sh", "-c", command],
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
            env={
                **os.environ,
                "PATH": self.path,
                "FAKE": str(self.fake),
                "SLIPWAY_RECORDS": str(self.records),
                "SLIPWAY_JOURNAL": str(self.root.with_name("journal") / "history.jsonl"),
            },
        ).stderr

    @property
    def asked(self) -> list[str]:
        """What systemctl was asked to do, without questions."""
        log = self.fake / "systemctl.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if not line.startswith("is-")]

    def runs(self, unit: str) -> bool:
        return (self.fake / f"active-{unit}").exists()

    @property
    def files(self) -> set[str]:
        """All that is on the server, folders included."""
        return {str(path.relative_to(self.root)) for path in self.root.rglob("*")}
