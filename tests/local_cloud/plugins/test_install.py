"""A stand-in is put where the engine looks, and says nothing about it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud.plugins.install import InstallError, install, launcher
from tests.local_cloud.plugins.parity import pulumi


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PULUMI_SKIP_UPDATE_CHECK", "true")
    return tmp_path / "home"


def test_the_engine_finds_the_plugin_and_a_second_time_changes_nothing(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    executable = home / "plugins" / "resource-command-v1.2.1" / "pulumi-resource-command"
    install("command", "1.2.1", pulumi())
    first = executable.read_text()
    install("command", "1.2.1", pulumi())
    assert executable.read_text() == first
    assert os.access(executable, os.X_OK)
    assert capfd.readouterr() == ("", "")


def test_what_is_installed_starts_the_plugin(home: Path) -> None:
    install("command", "1.2.1", pulumi())
    executable = home / "plugins" / "resource-command-v1.2.1" / "pulumi-resource-command"
    process = subprocess.Popen([executable, "127.0.0.1:1"], stdout=subprocess.PIPE, cwd="/")
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip().isdigit()
    finally:
        process.terminate()
        process.communicate()


def test_a_path_with_blanks_and_quotes_is_no_trouble(tmp_path: Path) -> None:
    python = tmp_path / "it's here" / "python"
    python.parent.mkdir()
    python.symlink_to("/bin/echo")
    script = tmp_path / "launcher"
    script.write_text(launcher("command", python))
    said = subprocess.run(["sh", script, "address"], capture_output=True, text=True, check=True)
    assert said.stdout.strip().endswith("start.py command address")


def test_bad_requests_are_told_in_one_line(home: Path) -> None:
    with pytest.raises(InstallError, match="'kubernetes' is no stand-in plugin; there are"):
        install("kubernetes", "1.0.0", pulumi())  # type: ignore[arg-type]
    with pytest.raises(InstallError, match="invalid plugin semver"):
        install("command", "latest", pulumi())
    with pytest.raises(InstallError, match="There is no Pulumi CLI at /no/pulumi"):
        install("command", "1.2.1", "/no/pulumi")
    arguments = [sys.executable, "-m", "local_cloud.plugins.install"]
    said = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert said.stderr.startswith("usage: python -m local_cloud.plugins.install command")
