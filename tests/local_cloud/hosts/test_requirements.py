"""What this computer must have: one clear message for each need."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud.hosts import requirements
from local_cloud.hosts.process import Process, owned_by, start_detached
from local_cloud.machine import MachineError


def test_other_systems_are_told_that_linux_is_needed() -> None:
    with pytest.raises(MachineError, match="this computer runs darwin"):
        requirements.check_system("darwin", user=0)


def test_other_users_are_told_to_be_root() -> None:
    with pytest.raises(MachineError, match="must be started by root"):
        requirements.check_system("linux", user=1000)


def test_systems_without_apt_are_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="apt-get"):
        requirements.check_system("linux", user=0)


@pytest.mark.parametrize("name", ["a:b", "a,b", 'a"b'])
def test_a_folder_that_no_mount_can_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MachineError, match=f"the folder .*{name}.* must not have any of"):
        requirements.check_folder(tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(MachineError, match="the folder /proc/self cannot be written"):
        requirements.check_folder(Path("/proc/self"))


def test_a_folder_on_a_file_system_without_overlays_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unshare = tmp_path / "unshare"
    unshare.write_text("#!/bin/sh\necho 'mount: wrong fs type' >&2\nexit 32\n")
    unshare.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(MachineError, match=r"no overlay can be mounted in .*wrong fs type"):
        requirements.check_folder(tmp_path / "state")
    assert list((tmp_path / "state").iterdir()) == []


def test_services_are_held_back_only_while_packages_are_installed(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with requirements.services_held_back(policy):
        assert subprocess.run([policy], check=False).returncode == 101
    assert not policy.exists()

    policy.write_text("somebody else's")
    with requirements.services_held_back(policy):
        assert policy.read_text() == "somebody else's"
    assert policy.exists()


def test_a_packet_that_cannot_be_installed_is_named(tmp_path: Path) -> None:
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\necho 'E: Unable to locate package socat' >&2\nexit 100\n")
    apt.chmod(0o755)
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        patch.setattr(requirements, "POLICY", tmp_path / "policy-rc.d")
        with pytest.raises(MachineError, match="cannot install socat: E: Unable to locate"):
            requirements.install(["socat"], told.append)
    assert told == ["installing socat", "fetching the list of packages"]


def test_who_holds_the_lists_of_packages_is_waited_for(tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.touch()
    apt = tmp_path / "apt-get"
    # Next time the one who had the lock is done.
    apt.write_text(
        "#!/bin/sh\n"
        f'echo "$*" >>{tmp_path}/called\n'
        f"if [ -e {held} ]; then rm {held}\n"
        "  echo 'E: Could not get lock /var/lib/apt/lists/lock' >&2; exit 100\nfi\n"
    )
    apt.chmod(0o755)
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        patch.setattr(requirements, "POLICY", tmp_path / "policy-rc.d")
        patch.setattr(requirements, "SERVICES", {})
        requirements.install(["socat"], told.append)
    assert told == ["installing socat"]
    assert len((tmp_path / "called").read_text().splitlines()) == 2


def test_a_process_is_known_by_more_than_its_number(tmp_path: Path) -> None:
    record = tmp_path / "process.json"
    process = start_detached(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        owner=f"test {tmp_path}",
        output=tmp_path / "output",
        record=record,
    )
    assert Process.recorded(record) == process
    assert process.is_alive
    assert owned_by(f"test {tmp_path}") == [process]
    assert os.getsid(process.pid) == process.pid, "it goes on when its terminal closes"

    impostor = Process(process.pid, "another boot 1")
    assert not impostor.is_alive
    impostor.signal(signal.SIGKILL)
    assert process.is_alive

    process.kill()
    assert not process.is_alive
    assert owned_by(f"test {tmp_path}") == []


@pytest.mark.parametrize("content", ["", "{", json.dumps({"pid": 1}), "[]"])
def test_a_torn_record_is_no_process(tmp_path: Path, content: str) -> None:
    (tmp_path / "process.json").write_text(content)
    assert Process.recorded(tmp_path / "process.json") is None
    assert Process.recorded(tmp_path / "missing.json") is None
