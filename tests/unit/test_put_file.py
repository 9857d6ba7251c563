"""A file on a server is the old one or the new one, never anything else: host/slipway-put-file.

A real shell runs it in a temporary folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import stat
import subprocess
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from components.core.put_file import PutFile
from components.core.shell import END_OF_FILE
from components.servers.remote import PUT_FILE

GOOD = "grep -q good "
TOOLS = (
    *("mkdir", "dirname", "rm", "cat", "tail", "truncate", "chmod", "chown", "cp", "ln", "mv"),
    *("grep", "sha256sum"),
)


@dataclass
class Server:
    """A folder of a server, and who puts files there."""

    folder: Path
    name: str = "site.conf"
    environment: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def path(self) -> Path:
        return self.folder / self.name

    def put(
        self, content: str, *, mode: str = "0644", check: str = "", then: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return self.send(content + END_OF_FILE, mode=mode, check=check, then=then)

    def send(
        self, text: str, *, mode: str = "0644", check: str = "", then: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """What arrives on standard input, as it is."""
        put = PutFile(
            path=str(self.path),
            mode=mode,
            owner=f"{os.geteuid()}:{os.getegid()}",
            check=check,
            then=then,
        )
        _, *words = shlex.split(put.script)
        return subprocess.run(
            ["sh", str(PUT_FILE), *words],
            input=text,
            capture_output=True,
            text=True,
            env={
                **self.environment,
                "SLIPWAY_RECORDS": str(self.records),
                "SLIPWAY_JOURNAL": str(self.journal),
            },
            start_new_session=True,
            check=False,
        )

    def put_checked(self, content: str) -> subprocess.CompletedProcess[str]:
        """With a check that only takes what is good."""
        return self.put(content, check=GOOD + str(self.path))

    @property
    def records(self) -> Path:
        return self.folder.with_name(f"records of {self.folder.name}")

    @property
    def recorded(self) -> list[list[str]]:
        """Content hash, mode, owner and path of each file that was put here."""
        puts = [each.read_text().splitlines() for each in self.records.glob("files/*/put")]
        return [[*put[:3], put[7]] for put in puts]

    @property
    def journal(self) -> Path:
        return self.folder.with_name(f"journal of {self.folder.name}") / "history.jsonl"

    @property
    def noted(self) -> list[tuple[str, str, str]]:
        """What, where and with which outcome, of each change that was noted."""
        lines = self.journal.read_text().splitlines() if self.journal.exists() else []
        entries = [json.loads(line) for line in lines]
        return [(each["what"], each["detail"], each["outcome"]) for each in entries]

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def server(tmp_path: Path) -> Server:
    (tmp_path / "etc").mkdir()
    return Server(tmp_path / "etc")


def kill_at(server: Server, tmp_path: Path, step: int) -> None:
    """From now on the shell and all it runs are killed before the n-th program they start."""
    tools = tmp_path / f"killing-at-{step}"
    tools.mkdir()
    counter = tools / "counter"
    for tool in TOOLS:
        wrapper = tools / tool
        wrapper.write_text(
            f"#!/bin/sh\nPATH={os.environ['PATH']}\nprintf x >>{counter}\n"
            f'[ "$(wc -c <{counter})" -ne {step} ] || kill -9 0\nexec {tool} "$@"\n'
        )
        wrapper.chmod(0o755)
    server.environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}


def killed_runs(tmp_path: Path, before: str | None, content: str) -> list[Server]:
    """One server for each point at which putting a content over another one can be killed."""
    found: list[Server] = []
    for step in range(1, 30):
        folder = tmp_path / f"etc-{step}"
        folder.mkdir()
        server = Server(folder)
        if before is not None:
            assert server.put_checked(before).returncode == 0
        kill_at(server, tmp_path, step)
        status = server.put_checked(content).returncode
        if status != -9:
            return found
        server.environment = dict(os.environ)
        found.append(server)
    raise AssertionError("it never ended by itself")


def test_a_file_is_put_with_its_content_and_nothing_is_left_aside(server: Server) -> None:
    assert server.put("one\n").returncode == 0
    assert server.path.read_text() == "one\n"
    assert server.names == ["site.conf"]


def test_it_prints_the_sha256_of_the_content_and_nothing_else(server: Server) -> None:
    done = server.put("one\n", check="echo checking", then="echo reloading")
    assert done.stdout == hashlib.sha256(b"one\n").hexdigest() + "\n"


def test_the_folder_is_made_where_there_is_none(server: Server) -> None:
    server.folder = server.folder / "conf.d" / "deep"
    assert server.put("one\n").returncode == 0
    assert server.folder.stat().st_mode & 0o777 == 0o755


def hash_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def test_what_was_put_is_recorded_and_the_record_follows(server: Server) -> None:
    owner = f"{os.geteuid()}:{os.getegid()}"
    server.put("one\n")
    assert server.recorded == [[hash_of("one\n"), "0644", owner, str(server.path)]]
    server.put("two\n", mode="0600")
    assert server.recorded == [[hash_of("two\n"), "0600", owner, str(server.path)]]
    server.name = "another.conf"
    server.put("three\n")
    assert len(server.recorded) == 2


def test_a_refused_content_is_not_recorded(server: Server) -> None:
    server.put_checked("good\n")
    server.put_checked("bad\n")
    assert [each[0] for each in server.recorded] == [hash_of("good\n")]


def test_a_file_whose_user_cannot_take_it_is_recorded_for_it_is_there(server: Server) -> None:
    server.put("one\n", then="false")
    assert [each[0] for each in server.recorded] == [hash_of("one\n")]


def test_a_changed_file_is_noted_in_the_journal_and_an_unchanged_one_is_not(server: Server) -> None:
    server.put("one\n")
    server.put("one\n")
    server.put("two\n")
    assert server.noted == [("file", str(server.path), "ok")] * 2
    assert server.journal.stat().st_mode & 0o777 == 0o640


def test_a_refused_content_is_noted_as_refused(server: Server) -> None:
    server.put_checked("good\n")
    server.put_checked("bad\n")
    assert server.noted[1:] == [("file", str(server.path), "refused")]


def test_the_journal_says_who_and_from_where(server: Server) -> None:
    server.environment |= {"SUDO_USER": "ada", "SSH_CLIENT": "192.0.2.7 50000 22"}
    server.put("one\n")
    (entry,) = map(json.loads, server.journal.read_text().splitlines())
    assert (entry["by"], entry["from"]) == ("ada", "192.0.2.7")
    assert datetime.fromisoformat(entry["at"]).tzinfo is not None


def test_a_name_with_quotes_is_still_one_line_of_json(server: Server) -> None:
    server.name = 'a "b" \\ c\nd.conf'
    server.put("one\n")
    assert server.noted == [("file", str(server.path).replace("\n", ""), "ok")]


def test_without_room_for_the_journal_the_file_is_put_all_the_same(server: Server) -> None:
    server.journal.parent.write_text("")
    assert server.put("one\n").returncode == 0
    assert server.path.read_text() == "one\n"


@pytest.mark.parametrize("mode", ["0644", "0600", "0755", "0640"])
@pytest.mark.parametrize("check", ["", "true"])
def test_it_has_the_mode_that_was_asked_for(server: Server, mode: str, check: str) -> None:
    server.put("old\n", mode="0777")
    server.put("new\n", mode=mode, check=check)
    assert stat.S_IMODE(server.path.stat().st_mode) == int(mode, 8)


def test_a_secret_is_at_no_moment_readable_by_others(server: Server, tmp_path: Path) -> None:
    """As seen by whatever program the script runs: no file in the folder is open to others."""
    tools, seen = tmp_path / "tools", tmp_path / "seen"
    tools.mkdir()
    for tool in TOOLS:
        wrapper = tools / tool
        wrapper.write_text(
            f"#!/bin/sh\nPATH={os.environ['PATH']}\n"
            f'find {server.folder} -type f -printf "%m\\n" >>{seen}\nexec {tool} "$@"\n'
        )
        wrapper.chmod(0o755)
    server.environment["PATH"] = f"{tools}:{os.environ['PATH']}"
    for _ in range(2):
        server.put("password\n", mode="0600", check="true")
    assert set(seen.read_text().split()) == {"600"}


@pytest.mark.parametrize("name", ["with space", "it's", 'quo"te', "$HOME", "semi;colon", "süß"])
def test_any_path_is_one_path(server: Server, name: str) -> None:
    server.name = name
    assert server.put("one\n", check="true").returncode == 0
    assert server.names == [name]


def test_any_bytes_arrive_as_they_are(server: Server) -> None:
    content = "no line break at the end, $HOME `id` 'quoted' \\n %s ü\t"
    server.put(content)
    assert server.path.read_text() == content


def test_a_content_that_was_cut_off_on_its_way_is_not_taken(server: Server) -> None:
    server.put("old\n")
    whole = "DATABASE_URL=postgresql://…\nSECRET_KEY=…\n" + END_OF_FILE
    for length in range(len(whole)):
        done = server.send(whole[:length], then="echo told")
        assert done.returncode == 1, whole[:length]
        assert "site.conf: the new content was cut off on its way" in done.stderr
        assert "told" not in done.stderr
    assert server.path.read_text() == "old\n"
    assert server.names == ["site.conf"]


def test_its_user_is_told_once_it_is_in_place(server: Server) -> None:
    done = server.put("good\n", check="true", then=f"cat {server.path}")
    assert done.stderr == "good\n"


def test_where_its_user_cannot_take_it_the_step_fails(server: Server) -> None:
    done = server.put("good\n", then="echo cannot reload >&2; false")
    assert done.returncode != 0
    assert "cannot reload" in done.stderr


def test_the_check_sees_the_new_file_in_its_place(server: Server) -> None:
    server.put("old\n")
    assert server.put("new\n", check=f"grep new {server.path}").returncode == 0


def test_a_refused_content_leaves_the_old_file(server: Server) -> None:
    server.put("good, old\n", mode="0640")
    done = server.put(
        "bad\n", check=f"{GOOD}{server.path} || {{ echo line 1 is bad; false; }}", then="echo told"
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert "site.conf: the new content was refused, and the old file is back" in done.stderr
    assert "line 1 is bad" in done.stderr
    assert "told" not in done.stderr
    assert server.path.read_text() == "good, old\n"
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o640
    assert server.names == ["site.conf"]


def test_a_refused_content_leaves_nothing_where_nothing_was(server: Server) -> None:
    done = server.put_checked("bad\n")
    assert done.returncode == 1
    assert "site.conf: the new content was refused, and is gone again" in done.stderr
    assert server.names == []


def test_an_empty_old_file_comes_back_too(server: Server) -> None:
    server.put("")
    server.put_checked("bad\n")
    assert server.path.read_text() == ""


def test_killed_anywhere_there_is_always_a_whole_file(tmp_path: Path) -> None:
    for server in killed_runs(tmp_path, "good, old\n", "good, new\n"):
        assert server.path.read_text() in ("good, old\n", "good, new\n")


def test_killed_anywhere_the_next_run_goes_on(tmp_path: Path) -> None:
    killed = killed_runs(tmp_path, "good, old\n", "good, new\n")
    assert len(killed) > 5
    for server in killed:
        assert server.put_checked("good, new\n").returncode == 0
        assert server.path.read_text() == "good, new\n"
        assert server.names == ["site.conf"]
        assert [each[0] for each in server.recorded] == [hash_of("good, new\n")]


def test_killed_with_a_bad_file_in_place_the_good_one_is_not_forgotten(tmp_path: Path) -> None:
    for server in killed_runs(tmp_path, "good, old\n", "bad\n"):
        assert server.put_checked("bad as well\n").returncode == 1
        assert server.path.read_text() == "good, old\n"
        assert server.names == ["site.conf"]


def test_killed_while_the_old_file_is_copied_the_half_copy_is_not_taken_for_it(
    server: Server, tmp_path: Path
) -> None:
    server.put("good, old\n")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "cp").write_text('#!/bin/sh\nhead -c 3 "$2" >"$3"\nkill -9 0\n')
    (tools / "cp").chmod(0o755)
    server.environment["PATH"] = f"{tools}:{os.environ['PATH']}"
    assert server.put_checked("bad\n").returncode == -9
    server.environment = dict(os.environ)
    assert server.put_checked("bad\n").returncode == 1
    assert server.path.read_text() == "good, old\n"
    assert server.put_checked("good, new\n").returncode == 0
    assert server.names == ["site.conf"]


def test_killed_with_a_bad_file_where_nothing_was_it_does_not_stay(tmp_path: Path) -> None:
    for server in killed_runs(tmp_path, None, "bad\n"):
        assert server.put_checked("bad as well\n").returncode == 1
        assert server.names == []
