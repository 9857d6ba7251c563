"""A script arrives at the server's shell as it was written."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from components.core.shell import as_root
from components.servers.remote import dials_within


@pytest.fixture(scope="module")
def fake_sudo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sudo that only runs what it is given."""
    folder = tmp_path_factory.mktemp("sudo")
    (folder / "sudo").write_text('#!/bin/sh\nexec env "$@"\n')
    (folder / "sudo").chmod(0o755)
    return folder


# What can be in a command line: no NUL, no lone surrogates.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0")
    | st.sampled_from("'\"\\$`!*~# \n\t;&|<>(){}")
)


@given(TEXT)
@example('it\'s $HOME `id` \\ "quoted"\nand two lines')
@settings(max_examples=50, deadline=None)
def test_any_script_reaches_the_shell_of_root_unchanged(fake_sudo: Path, text: str) -> None:
    """sshd hands the command line to the login shell, which hands one word to sh."""
    script = f"set -eu\nprintf %s {shlex.quote(text)}\n"
    for login_shell in ("sh", "bash"):
        done = subprocess.run(
            [login_shell, "-c", as_root(script)],
            capture_output=True,
            check=True,
            env={**os.environ, "PATH": f"{fake_sudo}:{os.environ['PATH']}"},
        )
        assert done.stdout.decode() == text


def test_the_status_of_a_script_is_that_of_the_command(fake_sudo: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", as_root("exit 7")],
        check=False,
        env={**os.environ, "PATH": f"{fake_sudo}:{os.environ['PATH']}"},
    )
    assert done.returncode == 7


@pytest.mark.parametrize(("seconds", "dials"), [(0.1, 1), (0.2, 2), (5, 9), (60, 20), (300, 68)])
def test_a_server_is_tried_for_about_the_seconds_asked_for(seconds: float, dials: int) -> None:
    assert dials_within(seconds) == dials
