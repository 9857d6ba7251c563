"""The web servers of a test's environment: what they serve, and that they agree."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.clone import Clone
from tests.visitors import Visitors

_numbers = count(1)


@dataclass
class WebServers:
    """The environment `local` of a copy of the project, seen as a person and as a visitor."""

    site: Clone
    host: str = ""
    """The name by which visitors ask; empty for the address."""
    _edition: str = field(default="</h1>", repr=False)

    # What visitors see

    @property
    def address(self) -> str:
        """Of the load balancer, on this machine."""
        return f"http://127.0.0.1:{self.site.place.web}/"

    @contextmanager
    def visited(self, *, most_failed: int = 0, most_asked_again: int = 0) -> Iterator[Visitors]:
        """Visitors come all the while.

        Args:
            most_failed: how many of their requests may fail.
            most_asked_again: how many may meet the end of a kept connection, as they may where
                nginx answers them itself and reads its files anew; a load balancer ends none so.
        """
        with Visitors(self.address, host=self.host) as visitors:
            yield visitors
        assert len(visitors.good) > 20, f"hardly a visitor came: {visitors}"
        if visitors.failed > most_failed:
            logs = self.everywhere("sudo tail -n 5 /var/log/nginx/error.log")
            raise AssertionError("\n".join([str(visitors), *map(": ".join, logs.items())]))
        assert visitors.asked_again <= most_asked_again, str(visitors)

    # What a person does

    def new_edition(self) -> str:
        """Change the application; the id that this will be as a release."""
        edition = f", edition {next(_numbers)}</h1>"
        self.site.edit("app/templates/users.html", self._edition, edition)
        self._edition = edition
        return self.id_of_the_application()

    def id_of_the_application(self) -> str:
        program = "from pathlib import Path; from components.release import artifact"
        program += "; print(artifact.identify(Path('app')))"
        return self.site.run(f'.venv/bin/python3 -c "{program}"').stdout.strip()

    @contextmanager
    def edited(self, path: str, old: str, new: str) -> Iterator[str]:
        """An edit of the application that is taken back; gives its id as a release."""
        file = self.site.folder / path
        text = file.read_text()
        self.site.edit(path, old, new)
        try:
            yield self.id_of_the_application()
        finally:
            file.write_text(text)

    @contextmanager
    def setting(self, **settings: object) -> Iterator[None]:
        """Settings of the stack for a while."""
        file = self.site.folder / "Pulumi.local.yaml"
        text = file.read_text()
        added = [f"  slipway:{name}: {json.dumps(value)}" for name, value in settings.items()]
        taken = tuple(f"  slipway:{name}:" for name in settings)
        kept = [line for line in text.splitlines() if not line.startswith(taken)]
        first = kept.index("config:") + 1
        file.write_text("\n".join([*kept[:first], *added, *kept[first:], ""]))
        try:
            yield
        finally:
            file.write_text(text)

    def up(self, options: str = "") -> str:
        """`scripts/up local`, which has to end well."""
        done = self.site.run(f"scripts/up local {options}")
        # It may have made servers anew, with host keys of their own.
        self.site.forget_fleet()
        return done.stdout + done.stderr

    def up_changes_nothing(self) -> None:
        said = self.up()
        assert re.search(r"Resources:\n +\d+ unchanged\n", said), said

    # What the servers say

    @property
    def names(self) -> list[str]:
        return self.site.web_servers

    def everywhere(self, command: str, *names: str) -> dict[str, str]:
        """What a shell command prints on all web servers, or on these."""
        return self.site.everywhere(command, *names, timeout=15)

    def statuses(self, *names: str) -> dict[str, dict[str, Any]]:
        said = self.everywhere(
            "sudo releasectl --app site status; test ! -e /srv/site/pending.json; echo $?", *names
        )
        found = {}
        for name, text in said.items():
            status, confirmed = text.strip().splitlines()
            found[name] = {**json.loads(status), "confirmed": confirmed == "0"}
        return found

    def serve(self, release: str, *, on: Sequence[str] = (), within: float = 0) -> None:
        """Assert that all serve this release, are well, and nothing of a switch is left open.

        Args:
            release: its id.
            on: some of the servers; empty for all.
            within: seconds in which those that have switched may go back by themselves.
        """
        deadline = time.monotonic() + within
        while True:
            statuses = self.statuses(*on)
            if all(
                (each["current"], each["problem"], each["confirmed"]) == (release, None, True)
                for each in statuses.values()
            ):
                return
            found = {
                name: (each["current"], each["problem"], each["confirmed"])
                for name, each in statuses.items()
            }
            assert time.monotonic() < deadline, f"not all serve {release}: {found}"
            time.sleep(0.5)

    def stay_on(self, release: str, *, seconds: float) -> None:
        """Assert that nothing goes back later, such as a timer that was forgotten."""
        time.sleep(seconds)
        self.serve(release)

    def end_on(self, release: str) -> None:
        """Assert that the next `scripts/up local` ends on this release, without anything else."""
        self.up()
        self.serve(release)
        assert self.site.output("release")["id"] == release
        told = self.status(exits=0)
        assert told.count(release) == len(self.names), told

    def status(self, *, exits: int) -> str:
        """What `scripts/status local` says: 0 all is well, 1 not all is, 2 something is down."""
        done = self.site.run(f"scripts/status local; test $? -eq {exits}")
        return done.stdout + done.stderr
