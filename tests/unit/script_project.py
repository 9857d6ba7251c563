"""A copy of what a person types and reads, with an engine of ours, for the tests of the scripts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

FAKE_PULUMI = """\
#!/bin/sh
echo "$*" >>"$FAKE/called"
case "$1 $2" in
  "stack output") cat "$FAKE/outputs" ;;
  "stack export") cat "$FAKE/state" ;;
  "config get") case "$3" in appFolder) echo app ;; appSource) echo folder ;; *) echo ;; esac ;;
  "config rm") ;;
  *) echo "fake pulumi: $*" >&2; exit 1 ;;
esac
"""


@dataclass
class Project:
    folder: Path
    fake: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def shell(self, script: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run shell code as the scripts run theirs."""
        libraries = ("environment", "say", "secrets", "engine")
        sources = "".join(f". scripts/lib/{each}.sh\n" for each in libraries)
        return self.run("bash", "-c", f"set -euo pipefail\n{sources}{script}", **more)

    def says(self, script: str, **more: str) -> str:
        done = self.shell(script, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def settings(self, text: str, stack: str = "local") -> None:
        (self.folder / f"Pulumi.{stack}.yaml").write_text(text)

    def is_set_up(self) -> None:
        """There is nothing for scripts/setup to do."""
        (self.folder / "scripts/setup").write_text("#!/bin/sh\n")
        if not (self.folder / ".venv").exists():
            (self.folder / ".venv").symlink_to(ROOT / ".venv")

    def python(self, command: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the program."""
        self.is_set_up()
        return self.run("python3", "-m", "cli", command, *words, **more)

    def call(self, statements: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run some of the program's code as a command."""
        code = f"def main():\n{indent(statements, '    ')}\n"
        ends = "import sys; from cli.console import status_of; sys.exit(status_of(main))"
        return self.run("python3", "-c", code + ends, **more)

    def answers(self, outputs: dict[str, Any]) -> None:
        (self.fake / "outputs").write_text(json.dumps(outputs))
        self.has({})

    def has(self, resources: dict[str, dict[str, Any]]) -> None:
        """What the state has: the outputs of each resource by "Type name"."""
        (self.fake / "state").write_text(
            json.dumps(
                {
                    "deployment": {
                        "resources": [
                            {
                                "type": f"x:x:{name.split()[0]}",
                                "urn": f"urn::{name.split()[1]}",
                                "outputs": each,
                            }
                            for name, each in resources.items()
                        ]
                    }
                }
            )
        )

    def servers(self, says: dict[str, str]) -> None:
        """Servers by name, each with the shell script that answers whatever is run there."""
        pair = {"stdout": "ssh-ed25519 PUBLIC\nPRIVATE"}
        made: dict[str, dict[str, Any]] = {"Command deploy-key": pair}
        for name, script in says.items():
            made[f"Droplet {name}"] = {"name": name, "ipv4Address": name}
            made[f"Command {name}-host-key"] = pair
            (self.fake / f"on-{name}").write_text(script)
        self.has(made)
        ssh = self.fake / "ssh"
        # The last two words are user@address and the command.
        ssh.write_text(
            '#!/bin/sh\nfor word in "$@"; do address=$last last=$word; done\n'
            'echo "$address $last" >>"$FAKE/ran"\nexec sh "$FAKE/on-${address#deploy@}"\n'
        )
        ssh.chmod(0o755)
        Path(self.environment["SLIPWAY_HOME"]).mkdir(parents=True, exist_ok=True)

    @property
    def ran(self) -> str:
        """What was run on the servers."""
        path = self.fake / "ran"
        return path.read_text() if path.exists() else ""

    @property
    def called(self) -> str:
        path = self.fake / "called"
        return path.read_text() if path.exists() else ""


def new_project(tmp_path: Path) -> Project:
    folder, fake, home = tmp_path / "project", tmp_path / "fake", tmp_path / "home"
    folder.mkdir()
    fake.mkdir()
    without = shutil.ignore_patterns("__pycache__")
    for name in ("scripts", "cli", "components", "local_cloud", "app"):
        shutil.copytree(ROOT / name, folder / name, ignore=without)
    for path in [*ROOT.glob("Pulumi*.yaml"), ROOT / ".gitattributes", ROOT / "requirements.lock"]:
        shutil.copy(path, folder)
    (fake / "pulumi").write_text(FAKE_PULUMI)
    (fake / "pulumi").chmod(0o755)
    environment = {
        "PATH": f"{fake}:{ROOT}/.venv/bin:{os.environ['PATH']}",
        "FAKE": str(fake),
        "HOME": str(home),
        "SLIPWAY_HOME": str(home / "slipway"),
    }
    return Project(folder, fake, environment)
