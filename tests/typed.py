"""Commands of the documents, typed by a test as they are written."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.clone import Clone

LEFT_OUT = {
    "scripts/trust-hosts mine": "it needs servers of one's own: tests/own_hosts types it",
    "scripts/up mine": "it needs servers of one's own: tests/own_hosts types it",
    "scripts/releases local --site shop": "it needs a shop: tests/app_servers types it",
    "scripts/rollback local --site shop": "it needs a shop: tests/app_servers types it",
    "pulumi config set --path 'sites[0].appEnv.SECRET_KEY' --secret --stack local": "it needs a"
    " shop: tests/app_servers types it",
    "scripts/test": "it is what runs this test",
    "scripts/down local": "it takes the site away: test_9_the_end.py",
    "python3 -m local_cloud reset": "it takes every host away: scripts/down runs it",
    "scripts/up dev": "the pipeline's update does: tests/pipeline",
}
TYPED: set[str] = set()


def types(*commands: str) -> Callable[..., Any]:
    """The test gets these commands of the documents, in the order of its parameters."""
    TYPED.update(commands)
    names = ("command", "then", "lastly")[: len(commands)]
    return pytest.mark.parametrize(names, [commands], ids=[commands[0]])


def typed(site: Clone, command: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command as it is written, but for the ports, which are those of the test's own site."""
    return site.run(as_on_this_site(site, command), **options)


def as_on_this_site(site: Clone, command: str) -> str:
    command = command.replace("127.0.0.1:7300", f"127.0.0.1:{site.place.api}")
    command = command.replace("127.0.0.1:8080", f"127.0.0.1:{site.place.web}")
    command = command.replace(".localhost:8443", f".localhost:{site.place.tls}")
    if command.startswith("scripts/"):
        return command
    return f"source scripts/activate 2>/dev/null && {command}"
