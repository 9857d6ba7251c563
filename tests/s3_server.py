"""A real server with the API of S3 on loopback: versitygw, as pinned in tools/s3, over a folder."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clone import ROOT

ACCESS, SECRET = "tester", "only-for-tests-0123456789"
MODULE = ROOT / "tools" / "s3"
START_SECONDS = 30


@dataclass(frozen=True)
class S3Server:
    endpoint: str
    folder: Path
    """Each bucket is a folder in it."""

    def make_bucket(self, name: str) -> None:
        (self.folder / name).mkdir()

    def keys(self, bucket: str) -> list[str]:
        root = self.folder / bucket
        files = (path for path in root.rglob("*.tar.gz") if path.is_file())
        return sorted(str(path.relative_to(root)) for path in files)


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """It ends with the block."""
    buckets, log = folder / "buckets", folder / "s3.log"
    buckets.mkdir(parents=True)
    port = _free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                *(_program(), "--port", f"127.0.0.1:{port}", "--quiet"),
                # With accounts of its own it answers to unknown ones as S3 does.
                *("--iam-dir", str(_made(folder / "accounts"))),
                # Metadata beside the files: not every file system takes extended attributes.
                *("posix", "--sidecar", str(_made(folder / "metadata")), str(buckets)),
            ],
            env={"PATH": os.environ["PATH"], "ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(port, process, log)
        yield S3Server(f"http://127.0.0.1:{port}", buckets)
    finally:
        process.kill()
        process.wait()


def can_be_built() -> bool:
    return shutil.which("go") is not None


def _program() -> str:
    """Built once for a user, a minute or two; later it is there."""
    pins = hashlib.sha256((MODULE / "go.mod").read_bytes()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "slipway", "tools")
    program = cache / f"s3-{pins}" / "versitygw"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "s3.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            aside = cache / f".s3-{pins}"
            subprocess.run(
                ["go", "install", "-ldflags", "-s -w", "tool"],
                cwd=MODULE,
                env={**os.environ, "GOBIN": str(aside), "GOFLAGS": "-mod=readonly"},
                check=True,
            )
            aside.rename(program.parent)
    return str(program)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the S3 server does not start: {log.read_text()}")
