"""A file of this project is uploaded to a server, with an ssh of ours."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from components.core.shell import END_OF_FILE, python_script
from tests.unit.script_project import Project, new_project

SOURCE = "host/releasectl"
REACH = {
    "hostname": "dev-web",
    "address": "203.0.113.7",
    "port": 22,
    "host_key": "ssh-ed25519 AAAA",
    "private_key": "PRIVATE",
    "connect_seconds": 5,
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return new_project(tmp_path)


def put(project: Project, ssh: str, digest: str = "") -> tuple[int, str, str]:
    """What it came to, with this for ssh."""
    path = project.fake / "ssh"
    path.write_text(f'#!/bin/sh\necho "$@" >>$FAKE/words\n{ssh}\n')
    path.chmod(0o755)
    (project.folder / "host").mkdir(exist_ok=True)
    Path(project.environment["SLIPWAY_HOME"]).mkdir(parents=True, exist_ok=True)
    (project.folder / SOURCE).write_text("#!/usr/bin/python3 -I\nprint('here')\n")
    content = python_script((project.folder / SOURCE).read_text(), "python3.12")
    digest = digest or hashlib.sha256(content.encode()).hexdigest()
    (project.fake / "reach").write_text(json.dumps(REACH))
    done = project.shell(
        f"PATH=$FAKE:$PATH; python3 -m cli.servers.upload_file web {SOURCE} python3.12 {digest}"
        " 'slipway-put-file /usr/local/bin/releasectl' <$FAKE/reach"
    )
    return done.returncode, done.stdout, done.stderr


def test_the_file_goes_by_standard_input_with_its_interpreter(project: Project) -> None:
    status, said, _ = put(project, "cat >$FAKE/sent; echo 0123abc")
    assert (status, said.strip()) == (0, "0123abc")
    sent = (project.fake / "sent").read_text()
    assert sent == f"#!/usr/bin/python3.12 -I\nprint('here')\n{END_OF_FILE}"
    words = (project.fake / "words").read_text()
    assert "deploy@203.0.113.7 sudo" in words
    assert "slipway-put-file /usr/local/bin/releasectl" in words
    assert "PRIVATE" not in words


def test_what_the_server_says_against_it_is_said(project: Project) -> None:
    status, _, complaint = put(
        project, "cat >/dev/null; echo 'the new content was refused' >&2; exit 1"
    )
    assert status == 1
    assert "web: the new content was refused" in complaint


def test_a_connection_that_fails_is_tried_again(project: Project) -> None:
    again = "[ -e $FAKE/tried ] && { cat >/dev/null; echo 0123abc; exit 0; }"
    flaky = f"{again}; touch $FAKE/tried; exit 255"
    assert put(project, flaky)[:2] == (0, "0123abc\n")


def test_a_file_that_was_edited_meanwhile_is_not_put(project: Project) -> None:
    status, _, complaint = put(project, "touch $FAKE/asked", digest="0" * 64)
    assert status == 1
    assert "host/releasectl has changed since this update began: run it again" in complaint
    assert not (project.fake / "asked").exists()
