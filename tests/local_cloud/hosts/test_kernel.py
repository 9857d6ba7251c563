"""What many machines need of this computer's kernel, and that it is as before afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_cloud.hosts import kernel
from local_cloud.hosts.names import Names


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This computer's settings, in a folder."""
    monkeypatch.setattr(kernel, "SHARED", tmp_path / "run")
    monkeypatch.setattr(kernel, "SETTINGS", tmp_path)
    for name, value in {"net/ipv4/ip_forward": 0, "fs/inotify/max_user_instances": 128}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(f"{value}\n")
    return tmp_path


def values(settings: Path) -> tuple[int, int]:
    names = ("net/ipv4/ip_forward", "fs/inotify/max_user_instances")
    forwarding, instances = (int((settings / name).read_text()) for name in names)
    return forwarding, instances


def test_the_last_of_several_clouds_puts_the_settings_back(settings: Path) -> None:
    one, other = Names.of(settings / "one"), Names.of(settings / "other")
    kernel.allow_machines(one)
    kernel.allow_machines(other)
    assert values(settings) == (1, 8192)
    kernel.restore(one)
    assert values(settings) == (1, 8192)
    kernel.restore(other)
    assert values(settings) == (0, 128)


def test_a_computer_that_allows_more_keeps_it(settings: Path) -> None:
    (settings / "fs/inotify/max_user_instances").write_text("65536\n")
    cloud = Names.of(settings / "one")
    kernel.allow_machines(cloud)
    assert values(settings) == (1, 65536)
