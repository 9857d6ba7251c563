"""Have a release on one server: `pulumi up` runs this for each, with keys and record on stdin.

A server that has the release is sent nothing. Else its archive comes from this machine, or from the
bucket, or from another server of the environment, whichever is the first to have it. What does not
come from this machine is kept here, for the next server.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from cli.console import CommandError, say, status_of
from cli.paths import ROOT
from cli.releases.ssh_transfer import SshTransfer
from cli.servers.fleet import SSH_FAILED, UPDATE_SSH_OPTIONS, Fleet, Server, SshSession
from components.release import artifact_store
from local_cloud.plugins.shared_stopwatch import Stopwatch

# What ssh says when another try would end the same.
_IN_VAIN = ("Host key verification failed", "Permission denied")


class UploadError(CommandError):
    """One line for a person, or none where all has been said."""


class ReleaseUpload:
    """What one server is to have, and how to get it there.

    Args:
        place: the environment, and where it is not the first site of it, the site: local/shop.
        server: its name in the stack.
        release: the release's id.
        options: further ones of `releasectl stage`.
        given: `hostname`, `address`, `port`, `host_key` and `private_key` to reach the server,
            `connect_seconds` (how long to try), `releasectl` (the command there, without its verb)
            and `record`, what it is told of the release.
    """

    def __init__(
        self, place: str, server: str, release: str, options: list[str], given: dict[str, Any]
    ) -> None:
        self.place, self.stack = place, place.partition("/")[0]
        self.server, self.release = server, release
        self.options, self.given = options, given
        self.archive = artifact_store.archive_in(artifact_store.folder_of(place), release)

    def run(self) -> str:
        """What releasectl says of it on the server: one line of JSON.

        Raises:
            UploadError: the server cannot be reached, the archive is to be had nowhere, or the
                release could not be staged.
        """
        given = self.given
        place = {key: given[key] for key in ("hostname", "address", "port", "host_key")}
        target = Server(name=self.server, **place)
        record = json.dumps(given["record"], sort_keys=True).encode() + b"\n"
        stage = " ".join(["stage", self.release, "--receive", *self.options])
        # sshd may be reloading its configuration at this very moment, or the network stumble.
        until = time.monotonic() + given["connect_seconds"]
        with Fleet(
            self.stack, {self.server: target}, given["private_key"]
        ).ssh_session() as session:
            while True:
                watch = Stopwatch(f"{self.server}-stage")
                transfer = SshTransfer(self._ssh(session, target, stage))
                wanted = transfer.ask(record)
                watch.lap("connect")
                if wanted == "send":
                    with transfer.abandoned_on_failure():
                        self._obtain()
                        transfer.send(self.archive)
                    watch.lap("transfer")
                ended = transfer.end()
                watch.lap("command")
                if ended == 0:
                    return transfer.answer
                if transfer.status != SSH_FAILED or transfer.answer:
                    raise UploadError
                if time.monotonic() > until or any(each in transfer.told for each in _IN_VAIN):
                    raise UploadError(f"{self.server} ({target.address}) cannot be reached")
                time.sleep(1)

    def _ssh(self, session: SshSession, server: Server, command: str) -> list[str]:
        return session.ssh(
            server, f"{self.given['releasectl']} {command}", options=UPDATE_SSH_OPTIONS
        )

    # Where the archive is to be had

    def _obtain(self) -> None:
        """Have the archive on this machine."""
        if self.archive.exists():
            return
        # As a rule it is there, and what looks for it elsewhere needs not be imported.
        from components.release.bucket import BucketError
        from components.release.verify import ArchiveError

        with self._one_at_a_time():
            if self.archive.exists():
                return
            reasons = [f"this machine does not have it ({self.archive})"]
            for source in (self._from_bucket, self._from_servers):
                try:
                    source(reasons)
                except (BucketError, ArchiveError) as error:
                    reasons.append(str(error))
                if self.archive.exists():
                    return
        raise UploadError(
            f"{self.server} does not have release {self.release}, and it is to be had nowhere: "
            + "; ".join(reasons)
        )

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Several servers may lack it: the first one fetches it for all."""
        self.archive.parent.mkdir(parents=True, exist_ok=True)
        with (self.archive.parent / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _from_bucket(self, reasons: list[str]) -> None:
        from cli.project import environments
        from components.release.bucket import Bucket

        settings = environments.file_of(self.stack).settings
        bucket = Bucket.of(settings, environments.project(), self.place)
        if bucket is None:
            reasons.append("no bucket is set (artifactBucket)")
            return
        self._receive(lambda file: bucket.read(self.release, file))
        say(f"release {self.release} for {self.server} came from {bucket.where}")

    def _from_servers(self, reasons: list[str]) -> None:
        from components.release.verify import ArchiveError

        fleet = Fleet.of(self.stack)
        with fleet.ssh_session() as session:
            for other in fleet.servers.values():
                if other.name == self.server or other.name.split("-")[0] != "web":
                    continue
                line = self._ssh(session, other, f"pack {self.release}")
                try:
                    self._receive(lambda file, line=line: _output_of(line, file))  # type: ignore[misc]
                except (UploadError, ArchiveError) as error:
                    reasons.append(f"{other.name}: {error}")
                    continue
                say(f"release {self.release} for {self.server} came from {other.name}")
                return

    def _receive(self, write: Callable[[BinaryIO], None]) -> None:
        from components.release import verify

        verify.receive(self.release, self.archive, write)


def _output_of(line: list[str], file: BinaryIO) -> None:
    done = subprocess.run(line, stdout=file, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no answer"]
        raise UploadError(said[-1].removeprefix("releasectl: "))


def main(place: str, server: str, release: str, *options: str) -> None:
    os.environ.setdefault("SLIPWAY_HOME", str(ROOT / ".slipway"))
    print(ReleaseUpload(place, server, release, list(options), json.load(sys.stdin)).run())  # noqa: T201


if __name__ == "__main__":
    sys.exit(status_of(lambda: main(*sys.argv[1:])))
