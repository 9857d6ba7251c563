"""Who is measured: Slipway and its peers, each with an application of its own on each server."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import yaml

from bench.hosts import NETWORK, Host, Hosts
from bench.peer_environment import BIN
from bench.site import ROOT, BenchError, Ran, Site
from components.application.web import UV_VERSION

WORKERS, THREADS = 2, 2
PEERS = ("ansible", "pyinfra", "fabric", "ssh")
NAMES = ("slipway", *PEERS)
#: Not a peer but the least that anybody could do.
FLOOR = "ssh"
KEPT = 5
PASSWORD = "only-on-this-machine"
POSTGRESQL = "/etc/postgresql/15/main"
_editions = count(1)
# On a web server: for each name on standard input a release, and what the journal would have of it.
_FORGE = """
import json, os, shutil, sys
from pathlib import Path
root = Path(sys.argv[1])
current = (root / "current").resolve()
journal = root / "history.jsonl"
ready = json.loads((current / ".slipway/READY").read_text())
lines = []
for name in reversed(sys.stdin.read().split()):
    folder = root / "releases" / name
    shutil.copytree(current, folder, symlinks=True, copy_function=os.link)
    mark = folder / ".slipway/READY"
    mark.unlink()
    mark.write_text(json.dumps(ready | {"id": name}))
    for what in ("stage", "switch"):
        entry = {"at": ready["staged_at"], "by": "bench", "from": "", "what": what, "release": name}
        lines.append(json.dumps(entry | {"outcome": "ok", "seconds": 1.0}))
journal.write_text("\\n".join(lines) + "\\n" + journal.read_text())
"""


@dataclass
class Contender(ABC):
    """One of them, on some web servers and one for the database.

    A run begins without a connection to any server: whoever keeps one for the next command has to
    open it anew, as a person does who releases now and then.
    """

    site: Site
    """The copy of the project, whose commands and environment are used."""
    hosts: Hosts
    web: list[Host]
    db: Host
    body_megabytes: int = 20
    """What the one line of nginx's configuration says that is changed."""
    heading: str = ""
    """What the page shows of the newest edition of the application."""
    kept: int = KEPT
    """How many releases it keeps."""

    name = ""
    port = 0

    @property
    @abstractmethod
    def source(self) -> Path:
        """The folder of its application."""

    @property
    @abstractmethod
    def root(self) -> str:
        """The folder on a server that has `current` in it."""

    @property
    @abstractmethod
    def user(self) -> str:
        """Who the application runs as."""

    @property
    @abstractmethod
    def nginx_site(self) -> str:
        """The file of nginx on a server."""

    @abstractmethod
    def everything(self) -> Ran:
        """Packages, configuration and release: whatever is not as it should be."""

    @abstractmethod
    def release(self) -> Ran:
        """A new release of the application's folder, with the packages that it needs."""

    @abstractmethod
    def rollback(self) -> Ran:
        """Back to the release before, or forward again to the one that was left."""

    @abstractmethod
    def released(self) -> str:
        """The id of the release that it takes for the current one."""

    @abstractmethod
    def set_body_megabytes(self, number: int) -> None:
        """Change that one line; `everything` brings it to the servers."""

    def take(self, web: Sequence[Host]) -> None:
        """From now on these are its web servers."""
        self.web = list(web)

    def rest(self) -> None:
        """End all connections; of those that keep any."""
        return

    def url(self, host: Host) -> str:
        return f"http://{host.address}:{self.port}/"

    def new_edition(self) -> None:
        """Change a template of its application."""
        self.heading = f"<h1>Users, edition {next(_editions)}</h1>"
        page = self.source / "templates/users.html"
        page.write_text(re.sub("<h1>.*</h1>", self.heading, page.read_text()))


@dataclass
class Slipway(Contender):
    """What a person types, for servers of one's own."""

    stack: str = "bench"

    name = "slipway"
    port = 80

    @property
    def source(self) -> Path:
        return self.site.folder / "app"

    @property
    def root(self) -> str:
        return "/srv/site"

    @property
    def user(self) -> str:
        return "site"

    @property
    def nginx_site(self) -> str:
        return "/etc/nginx/sites-available/site"

    def take(self, web: Sequence[Host]) -> None:
        super().take(web)
        file = self.site.folder / f"Pulumi.{self.stack}.yaml"
        known = yaml.safe_load(file.read_text()) if file.exists() else {}
        pinned = dict(line.split(" ", 1) for line in _lines(self.hosts.known_hosts))
        config = {
            "slipway:webHosts": [_setting(host) for host in self.web],
            "slipway:dbHost": _setting(self.db),
            "slipway:hostKeys": [
                f"{host.address} {pinned[host.address]}" for host in [*self.web, self.db]
            ],
            "slipway:sshKey": str(self.hosts.key),
            "slipway:maxBodySize": f"{self.body_megabytes}m",
            "slipway:workers": WORKERS,
            "slipway:workerThreads": THREADS,
            "slipway:keepReleases": self.kept,
        }
        file.write_text(yaml.safe_dump(known | {"config": config}))

    def everything(self) -> Ran:
        return self.site.run(f"scripts/up {self.stack}")

    def release(self) -> Ran:
        return self.everything()

    def rollback(self) -> Ran:
        """The release that was left stays in the history, so the next rollback names it."""
        outputs = self._outputs()
        known = [each["id"] for each in outputs["releases"]]
        current = outputs["release"]["id"]
        newer = known[: known.index(current)]
        return self.site.run(f"scripts/rollback {self.stack} {newer[-1] if newer else ''}")

    def hold_no_release(self) -> None:
        """After a rollback and back: as if there had been none."""
        self.site.run(f"sed -i '/slipway:release:/d' Pulumi.{self.stack}.yaml")
        self.everything()

    def released(self) -> str:
        return str(self._outputs()["release"]["id"])

    def set_body_megabytes(self, number: int) -> None:
        self.body_megabytes = number
        self.take(self.web)

    def keep(self, releases: int) -> None:
        """From the next update on."""
        self.kept = releases
        self.take(self.web)

    def have_had(self, past: Sequence[str]) -> None:
        """As if it had also made these, newest first, long ago: on the servers, and in the state.

        Each lies there as a copy of the current one, by hard links.
        """
        told = "\n".join(past)
        for host in self.web:
            self.hosts.on(
                host, f"python3 -c {shlex.quote(_FORGE)} {self.root} <<'END'\n{told}\nEND"
            )
        state = json.loads(self.site.pulumi(f"stack export --stack {self.stack}"))
        resources = state["deployment"]["resources"]
        (top,) = (each for each in resources if each["type"] == "pulumi:pulumi:Stack")
        known = top["outputs"]["releases"]
        top["outputs"]["releases"] = [*known, *({**known[-1], "id": each} for each in past)]
        file = self.site.folder / "state.json"
        file.write_text(json.dumps(state))
        self.site.pulumi(f"stack import --stack {self.stack} --file {file}")
        file.unlink()

    def _outputs(self) -> dict[str, Any]:
        return dict(json.loads(self.site.pulumi(f"stack output --stack {self.stack} --json")))


@dataclass
class Peer(Contender):
    """A folder of bench/peers; its `run` does what it is asked for."""

    folder: Path = Path()
    """Of its own: what it is told (site.json, site.env), its application, its archives."""
    releases: list[str] = field(default_factory=list)
    """All ids, the oldest first."""
    current: str = ""

    @property
    def source(self) -> Path:
        return self.folder / "app"

    @property
    def root(self) -> str:
        return f"/srv/{self.app}"

    @property
    def user(self) -> str:
        return self.app

    @property
    def nginx_site(self) -> str:
        return f"/etc/nginx/sites-available/{self.app}.conf"

    @property
    def app(self) -> str:
        return f"by-{self.name}"

    def begin(self) -> None:
        """A copy of the application, and a first release of it to come."""
        (self.folder / "control").mkdir(parents=True)
        (self.folder / "work").mkdir()
        shutil.copytree(self.site.folder / "app", self.source)
        self.new_edition()

    def everything(self) -> Ran:
        return self._run("everything")

    def release(self) -> Ran:
        return self._run("release")

    def rollback(self) -> Ran:
        at = self.releases.index(self.current)
        self.current = self.releases[at - 1] if at == len(self.releases) - 1 else self.releases[-1]
        return self._run("rollback")

    def released(self) -> str:
        return self.current

    def new_edition(self) -> None:
        super().new_edition()
        self._new_id()

    def _new_id(self) -> None:
        self.current = hashlib.sha256(f"{self.name} {next(_editions)}".encode()).hexdigest()[:12]
        self.releases.append(self.current)

    def set_body_megabytes(self, number: int) -> None:
        self.body_megabytes = number

    def rest(self) -> None:
        for socket in (self.folder / "control").iterdir():
            subprocess.run(
                ["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "nobody"],
                capture_output=True,
                timeout=10,
                check=False,
            )

    def _run(self, verb: str) -> Ran:
        self._tell()
        path = os.pathsep.join([str(BIN), self.site.environment["PATH"]])
        settings = {
            "PATH": path,
            "BENCH_SITE": str(self.folder),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.folder / "control"),
            "ANSIBLE_LOCAL_TEMP": str(self.folder / "ansible"),
            "LC_ALL": "C.UTF-8",
        }
        return self.site.run(
            str(ROOT / "bench/peers" / self.name / "run") + f" {verb}", more=settings
        )

    def _tell(self) -> None:
        """What it is to do, in the forms that these tools read."""
        requirements = (self.source / "requirements.txt").read_bytes()
        told = {
            "app": self.app,
            "site_port": self.port,
            "release": self.current,
            "requirements": hashlib.sha256(requirements).hexdigest()[:12],
            "source": str(self.source),
            "work": str(self.folder / "work"),
            "body_megabytes": self.body_megabytes,
            "workers": WORKERS,
            "threads": THREADS,
            "uv": UV_VERSION,
            "password": PASSWORD,
            "network": NETWORK,
            "postgresql": POSTGRESQL,
            "key": str(self.hosts.key),
            "known_hosts": str(self.hosts.known_hosts),
        }
        servers = {"web": [vars(host) for host in self.web], "db": vars(self.db)}
        if self.name == "ansible":
            told["db"] = self.db.private
            (self.folder / "inventory.json").write_text(json.dumps(self._inventory()))
            (self.folder / "site.json").write_text(json.dumps(told))
            return
        (self.folder / "site.json").write_text(json.dumps(told | servers))
        addresses = " ".join(host.address for host in self.web)
        lines = [f"{key}='{value}'" for key, value in told.items()]
        lines += [f"web=({addresses})", f"db={self.db.address}", f"db_private={self.db.private}"]
        (self.folder / "site.env").write_text("\n".join(lines) + "\n")

    def _inventory(self) -> dict[str, Any]:
        def group(hosts: Sequence[Host], packages: Sequence[str]) -> dict[str, Any]:
            return {
                "hosts": {host.name: {"ansible_host": host.address} for host in hosts},
                "vars": {"packages": packages},
            }

        return {
            "all": {
                "vars": {
                    "ansible_user": "root",
                    "ansible_ssh_private_key_file": str(self.hosts.key),
                    "ansible_ssh_common_args": f"-o UserKnownHostsFile={self.hosts.known_hosts}",
                },
                "children": {
                    # What its pip module needs is one package more.
                    "web": group(self.web, ["nginx-light", "python3-venv", "python3-packaging"]),
                    "db": group([self.db], ["postgresql"]),
                },
            }
        }


def contenders(
    names: Sequence[str],
    site: Site,
    hosts: Hosts,
    stack: str,
    web: list[Host],
    dbs: dict[str, Host],
) -> list[Contender]:
    """Those of them that are named, with nothing on the servers yet.

    Args:
        stack: of Slipway, and a name for the folders of the others.
        dbs: the database's server by contender.
    """
    made: list[Contender] = []
    for name in names:
        if name == "slipway":
            slipway = Slipway(site=site, hosts=hosts, web=[], db=dbs[name], stack=stack)
            slipway.take(web)
            slipway.new_edition()
            made.append(slipway)
        else:
            folder = hosts.folder / stack / name
            peer = Peer(site=site, hosts=hosts, web=web, db=dbs[name], folder=folder)
            peer.name, peer.port = name, 8101 + PEERS.index(name)
            peer.begin()
            made.append(peer)
    return made


def _setting(host: Host) -> str:
    return f"{host.address} private={host.private}"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def unknown(names: Sequence[str]) -> None:
    """Raises BenchError for a name that no contender has."""
    for name in names:
        if name not in NAMES:
            raise BenchError(f"there is no contender '{name}': must be one of {', '.join(NAMES)}")
