"""What a server says of itself: host/survey.py, run as scripts/status runs it, on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from components.servers.distributions import registry
from host import survey

SOURCE = Path(survey.__file__).read_text()


DEBIAN = registry.of("debian", "12").facts
RHEL = registry.of("rocky", "9.5").facts


def surveyed(*more: Any, system: dict[str, Any] = DEBIAN) -> dict[str, Any]:
    arguments = (system, *more)
    done = subprocess.run(
        ["python3", "-I", "-"],
        input=f"{SOURCE}\nprint(survey{arguments!r})\n",
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(survey, "RECORDS", tmp_path / "records")
    (tmp_path / "records" / "files").mkdir(parents=True)
    return tmp_path / "records"


def test_sent_over_standard_input_it_answers_with_one_json_object(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("one\n")
    paths = [str(tmp_path / "there"), str(tmp_path / "not there")]
    found = surveyed(paths, ["no-such.service"])
    assert abs(found["time"] - time.time()) < 30
    assert 0 < found["memory"]["used"] < found["memory"]["total"]
    assert 0 < found["disk"]["used"] < found["disk"]["total"]
    assert found["uptime"] > 0
    assert found["files"][paths[0]]["sha256"] == hashlib.sha256(b"one\n").hexdigest()
    assert found["files"][paths[1]] is None
    assert found["units"]["no-such.service"]["active"] != "active"
    assert "application" not in found
    assert "postgresql" not in found


def test_a_server_whose_application_and_database_are_gone_says_so(tmp_path: Path) -> None:
    found = surveyed([], [], "nosuchapp", True, system={**DEBIAN, "pg_isready": "/no/such"})
    assert found["application"]["error"]
    assert found["maintenance"] is False
    assert found["postgresql"] == {"version": "15", "accepts": False}


def test_each_further_site_is_told_by_its_name() -> None:
    found = surveyed([], [], "nosuchapp", False, ("nosuchshop",))
    assert found["sites"]["nosuchshop"]["error"]
    assert "sites" not in surveyed([], [], "nosuchapp")


def test_a_file_is_told_with_mode_owner_and_what_was_put_there(
    tmp_path: Path, records: Path
) -> None:
    path = tmp_path / "site.conf"
    path.write_text("one\n")
    path.chmod(0o640)
    found = survey.file_state(path)
    assert found is not None
    assert (found["mode"], found["recorded"]) == ("0640", None)
    assert found["owner"].count(":") == 1
    record = records / "files" / hashlib.sha256(str(path).encode()).hexdigest()[:16]
    record.mkdir()
    (record / "put").write_text("abc\n0640\nroot:root\nremoved\n\n\n\n/x\n")
    found = survey.file_state(path)
    assert found is not None
    assert found["recorded"] == "abc"


def test_the_record_is_where_slipway_put_file_leaves_it(tmp_path: Path, records: Path) -> None:
    put_file = Path(survey.__file__).with_name("slipway-put-file")
    path = tmp_path / "it's a file"
    subprocess.run(
        ["sh", put_file, "--owner", f"{os.geteuid()}:{os.getegid()}", path],
        input=b"one\nslipway: end of file\n",
        env={
            **os.environ,
            "SLIPWAY_RECORDS": str(records),
            "SLIPWAY_JOURNAL": str(tmp_path / "journal" / "history.jsonl"),
        },
        capture_output=True,
        check=True,
    )
    found = survey.file_state(path)
    assert found is not None
    assert found["recorded"] == found["sha256"]


def test_missing_packages_are_those_that_were_asked_for(records: Path) -> None:
    if not shutil.which("dpkg-query"):
        pytest.skip("dpkg-query is not installed on this machine")
    assert survey.missing_packages(DEBIAN) is None
    (records / "packages").write_text("dash\nno-such-package\ncoreutils\n")
    assert survey.missing_packages(DEBIAN) == ["no-such-package"]


def test_on_the_rhel_family_its_own_programs_are_asked(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As rpm(8) answers: one line for each that is there, and a sentence for each that is not."""
    rpm = tmp_path / "rpm"
    rpm.write_text("#!/bin/sh\necho ii nginx\necho package python3.12 is not installed\nexit 1\n")
    rpm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (records / "packages").write_text("nginx\npython3.12\n")
    assert survey.missing_packages(RHEL) == ["python3.12"]
    ready = tmp_path / "pg_isready"
    ready.write_text("#!/bin/sh\necho '/run/postgresql:5432 - accepting connections'\n")
    ready.chmod(0o755)
    assert survey.accepts({**RHEL, "pg_isready": str(ready)})
    site = tmp_path / "site.conf"
    site.write_text("error_page 503 /maintenance.html;")
    assert survey.shows_maintenance({**RHEL, "site": f"{tmp_path}/{{app}}.conf"}, "site")


def test_the_last_change_is_the_newest_whole_line_of_the_journals(tmp_path: Path) -> None:
    server, application = tmp_path / "server.jsonl", tmp_path / "application.jsonl"
    assert survey.last_change(server, application) is None
    switch = {"at": "2026-11-20T10:00:00Z", "what": "switch"}
    application.write_text(f'{{"what": "stage"}}\n{json.dumps(switch)}\n{{"wha')
    assert survey.last_change(server, application) == switch
    file = {"at": "2026-11-20T10:00:01Z", "what": "file"}
    server.write_text(f"{json.dumps(file)}\n")
    assert survey.last_change(server, application) == file


def test_the_end_of_a_certificate_is_read(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed on this machine")
    path = tmp_path / "site.pem"
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {tmp_path}/key -out {path}"
        " -days 10 -subj /CN=site",
        shell=True,
        check=True,
        capture_output=True,
    )
    end = survey.certificate_end(str(path))
    assert end is not None
    assert abs(end - time.time() - 10 * 86400) < 600
    assert survey.certificate_end(str(tmp_path / "key")) is None
