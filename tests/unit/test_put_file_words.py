"""What is declared of a file is what the state is read for: it survives the command line."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.core.put_file import PutFile, Unit
from components.core.shell import HERE, as_root

UNITS = st.builds(
    Unit,
    name=st.sampled_from(["nginx.service", "toy.timer"]),
    verb=st.sampled_from(["start", "reload"]),
    serves=st.booleans(),
)
# No NUL: it can be in no command line.
SHELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
FILES = st.builds(
    PutFile,
    path=SHELL.map(lambda text: f"/etc/{text}"),
    mode=st.sampled_from(["0600", "0644"]),
    owner=st.sampled_from(["root:root", "root:site"]),
    check=SHELL,
    then=SHELL,
    undo=SHELL,
    unit=st.none() | UNITS,
    site=st.sampled_from(["", "shop"]),
    stays=st.booleans(),
)


@given(FILES)
@settings(max_examples=100, deadline=None)
def test_a_file_is_read_as_it_was_declared(file: PutFile) -> None:
    assert PutFile.in_command(as_root(file.script)) == file
    uploaded = f"{HERE} cli.servers.upload_file web host/releasectl {shlex.quote(file.script)}"
    assert PutFile.in_command(uploaded) == file


@pytest.mark.parametrize("script", ["true", "nginx -t", "echo slipway-put-file /etc/a"])
def test_what_puts_no_file_is_none(script: str) -> None:
    assert PutFile.in_command(as_root(script)) is None


def test_a_path_is_absolute() -> None:
    with pytest.raises(ValueError, match=r"'etc/a': a file on a server needs an absolute path"):
        PutFile(path="etc/a")
