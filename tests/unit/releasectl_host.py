"""A server without systemd or root, for the tests of releasectl: everything below one folder."""

import atexit
import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx

from components.core.bundle import program_text
from components.release.artifact import RECIPE, pack

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "host" / "releasectl"
FAKES = Path(__file__).with_name("releasectl_fakes")
#: The oldest Python releasectl has to run on can be given here.
PYTHON = os.environ.get("RELEASECTL_PYTHON", sys.executable)
COMPILE = "import py_compile, sys; py_compile.compile(*sys.argv[1:], doraise=True)"


def _as_a_server_has_it() -> Path:
    """The program in one file, compiled, as a server keeps it; it goes with the tests' process."""
    folder = tempfile.TemporaryDirectory(prefix="slipway-releasectl-")
    atexit.register(folder.cleanup)
    path = Path(folder.name, "releasectl")
    path.write_text(program_text(PACKAGE))
    compiled = path.with_suffix(".pyc")
    subprocess.run([PYTHON, "-c", COMPILE, path, compiled], check=True)
    return compiled


RELEASECTL = _as_a_server_has_it()


def releasectl_module() -> ModuleType:
    """The program itself, for what is pure in it."""
    loader = SourceFileLoader("releasectl", str(RELEASECTL.with_suffix("")))
    spec = spec_from_loader("releasectl", loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


WSGI = """
import os, time
PAGE = "{page}"

def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/slow"):
        time.sleep(float(path[5:] or 1))
    status, body = "200 OK", PAGE + os.environ.get("GREETING", "")
    if path == "/healthz":
        status, body = {health!r}
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body.encode()]
"""


@dataclasses.dataclass
class Outcome:
    """What a command said: `result` is its line of JSON, `told` what it told the person."""

    status: int
    result: dict[str, Any]
    told: str


class Host:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.base = root / "srv" / "site"
        self.config = root / "etc" / "slipway" / "site"
        self.env = {
            "PATH": f"{FAKES}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(root),
            "FAKE_ROOT": str(root),
            "FAKE_PYTHON": sys.executable,
        }
        for folder in (self.config, root / "etc/systemd/system", root / "run/site"):
            folder.mkdir(parents=True)
        (self.config / "app.service").write_text("[Service]\n")
        (self.config / "gunicorn.conf.py").write_text("workers = 2\n")
        self.environment(GREETING="")
        self.settings()

    # What the rest of Slipway puts on a server

    def settings(self, **changed: Any) -> None:
        user = "root" if os.geteuid() == 0 else os.environ["USER"]
        values = {"user": user, "health_seconds": 5, "drain_seconds": 5, "keep_releases": 3}
        values["instance_files"] = [
            "/etc/slipway/site/env",
            "/etc/slipway/site/gunicorn.conf.py",
            "/etc/slipway/site/app.service",
        ]
        (self.config / "app.json").write_text(json.dumps({**values, **changed}))

    def environment(self, **variables: str) -> None:
        text = "".join(f"{key}={value}\n" for key, value in variables.items())
        (self.config / "env").write_text(text)

    def upload(
        self,
        page: str = "one",
        health: tuple[str, str] = ("200 OK", "fine"),
        files: dict[str, str] | None = None,
    ) -> str:
        """Pack a small application and put it into incoming/; its id."""
        source = self.root / "source"
        shutil.rmtree(source, ignore_errors=True)
        contents = {
            "wsgi.py": WSGI.format(page=page, health=health),
            "requirements.txt": "",
            **(files or {}),
        }
        for name, content in contents.items():
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        recipe = {RECIPE: contents[RECIPE].encode()} if RECIPE in contents else {}
        return pack(source, self.base / "incoming", recipe).id

    # What a person or the program does

    def command(self, *arguments: str) -> list[str]:
        options = ["--root", str(self.root), "--app", "site", "--by", "ada"]
        return [PYTHON, "-I", str(RELEASECTL), *options, *arguments]

    def run(self, *arguments: str, record: str = "", check: bool = True) -> Outcome:
        outcome = self.run_command(self.command(*arguments), record)
        if check:
            assert outcome.status == 0, outcome.told
        return outcome

    def run_command(self, command: list[str], record: str = "") -> Outcome:
        done = subprocess.run(
            command, input=record, capture_output=True, text=True, env=self.env, check=False
        )
        assert 'releasectl", line' not in done.stderr, done.stderr  # a traceback of its own
        lines = done.stdout.splitlines()
        assert len(lines) == (done.returncode >= 0), done.stdout
        return Outcome(done.returncode, json.loads(lines[0]) if lines else {}, done.stderr)

    def fails(self, *arguments: str) -> Outcome:
        outcome = self.run(*arguments, check=False)
        assert outcome.status == 1, outcome
        assert outcome.result["outcome"] == "failed"
        return outcome

    def kill_at(self, effect: int, *arguments: str) -> bool:
        """Run a command that is killed before its n-th effect; False if it ended before that."""
        command = self.command(*arguments)
        command[1:2] = ["-I", str(FAKES / "killed_at.py"), str(effect)]
        return self.run_command(command).status == -9

    def release(self, page: str, **more: Any) -> str:
        """Upload, stage and activate."""
        release = self.upload(page, **more)
        self.run("stage", release)
        self.run("activate", release)
        return release

    # What can be seen

    def get(self, path: str = "/", timeout: float = 5) -> httpx.Response:
        transport = httpx.HTTPTransport(uds=str(self.base / "current.sock"))
        with httpx.Client(transport=transport, timeout=timeout) as client:
            return client.get(f"http://site{path}")

    @property
    def page(self) -> str:
        return self.get().text

    def status(self) -> dict[str, Any]:
        return self.run("status").result

    def states(self) -> dict[str, str]:
        return {release["id"]: release["state"] for release in self.status()["releases"]}

    def history(self) -> list[dict[str, Any]]:
        lines = (self.base / "history.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def names(self, folder: str) -> list[str]:
        """Everything in a folder of /srv/site, leftovers with a dot as well."""
        return sorted(path.name for path in (self.base / folder).iterdir())

    def running(self) -> list[str]:
        """The instances whose process is alive."""
        found = []
        for path in (self.root / "units").glob("site@*.pid"):
            if alive(int(path.read_text())):
                found.append(path.name[len("site@") : -len(".service.pid")])
        return sorted(found)

    def wait_for_drains(self) -> None:
        """Until every instance that was left to end by itself has done so."""
        deadline = time.monotonic() + 20
        while any((self.root / "run/systemd/transient").glob("*")):
            assert time.monotonic() < deadline, "an instance does not end"
            time.sleep(0.02)

    def enabled(self) -> list[str]:
        paths = (self.root / "etc/systemd/system/multi-user.target.wants").glob("site@*")
        return sorted(path.name[len("site@") : -len(".service")] for path in paths)

    def stop_all(self) -> None:
        for path in sorted((self.root / "units").glob("*.pid")):  # site-drain… before site@…
            end = os.killpg if path.name.startswith("site-drain") else os.kill
            with contextlib.suppress(ProcessLookupError):
                end(int(path.read_text()), 9)


def alive(pid: int) -> bool:
    """A zombie is dead, also where nobody collects it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


@contextlib.contextmanager
def new_host() -> Iterator[Host]:
    """UNIX sockets need short paths, so not in pytest's own folder."""
    root = Path(tempfile.mkdtemp(prefix="slipway-"))
    host = Host(root)
    try:
        yield host
    finally:
        host.stop_all()
        shutil.rmtree(root)
