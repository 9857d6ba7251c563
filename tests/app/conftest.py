"""The sample application as it runs on a server: its own venv, gunicorn, a real PostgreSQL."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

APP = Path(__file__).resolve().parents[2] / "app"
#: Ends a server together with the test run, also when that is killed.
ENDS_WITH_US = ["setpriv", "--pdeathsig", "INT"]


def wait_until(true: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


class PostgreSQL:
    """A cluster of its own in a folder of its own, on a UNIX socket only."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder = programs, folder
        self.url = f"postgresql://app:secret@/postgres?host={folder}"
        self.as_user: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "postgres", "postgres")
            self.as_user = ["--reuid", "postgres", "--regid", "postgres", "--init-groups"]
        self.run("initdb", "-D", f"{folder}/data", "-A", "trust", "-N", "-U", "app")
        self.start()

    def run(self, program: str, *arguments: str) -> str:
        prefix = ["setpriv", *self.as_user] if self.as_user else []
        return subprocess.run(
            [*prefix, str(self.programs / program), *arguments],
            check=True,
            capture_output=True,
            text=True,
            cwd=self.folder,
        ).stdout

    def start(self) -> None:
        postgres = [str(self.programs / "postgres"), "-D", f"{self.folder}/data", "-F"]
        settings = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={self.folder}"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*ENDS_WITH_US, *self.as_user, *postgres, *settings],
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        ready = [str(self.programs / "pg_isready"), "-q", "-h", str(self.folder)]
        wait_until(lambda: subprocess.run(ready, check=False).returncode == 0)

    def stop(self) -> None:
        self.process.send_signal(2)  # SIGINT: do not wait for the connections of the application
        self.process.wait(15)

    def ask(self, sql: str) -> str:
        return self.run("psql", "-h", str(self.folder), "-U", "app", "-Atc", sql, "postgres")


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """UNIX sockets need short paths, and other users must be able to enter."""
    with tempfile.TemporaryDirectory(prefix="slipway-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def cluster(short_folder: Path) -> Iterator[PostgreSQL]:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found or not shutil.which("setpriv"):
        pytest.skip("needs PostgreSQL's server programs (apt-get install postgresql) and setpriv")
    folder = short_folder / "postgresql"
    folder.mkdir()
    database = PostgreSQL(found[-1].parent, folder)
    yield database
    database.stop()


@pytest.fixture
def database(cluster: PostgreSQL) -> PostgreSQL:
    cluster.ask("DROP TABLE IF EXISTS users")
    return cluster


@pytest.fixture(scope="session")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Exactly what app/requirements.txt pins, hashes checked, as a server installs it."""
    uv = str(Path(sys.executable).with_name("uv"))
    folder = tmp_path_factory.mktemp("app") / "venv"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
    install = [uv, "pip", "install", "-q", "--require-hashes", "-r", f"{APP}/requirements.txt"]
    subprocess.run([*install, "--python", f"{folder}/bin/python"], check=True)
    return folder


@pytest.fixture
def release_command(venv: Path, database: PostgreSQL) -> Callable[[], subprocess.Popen[str]]:
    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [venv / "bin" / "python", "-B", "release.py"],
            cwd=APP,
            env={"DATABASE_URL": database.url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    return start


@pytest.fixture
def site(venv: Path, database: PostgreSQL, short_folder: Path) -> Iterator[httpx.Client]:
    """The application behind gunicorn, with nothing in its database yet."""
    socket = short_folder / "site.sock"
    command = [*ENDS_WITH_US, f"{venv}/bin/python", "-B", "-m", "gunicorn", "wsgi:app"]
    environment = {"DATABASE_URL": database.url, "SLIPWAY_RELEASE": "0123456789ab"}
    with (short_folder / "site.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--bind", f"unix:{socket}", "--no-control-socket"],
            cwd=APP,
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(socket.exists)
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://site", timeout=20
        ) as client:
            yield client
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def log_of_site(short_folder: Path) -> Callable[[], str]:
    return (short_folder / "site.log").read_text
