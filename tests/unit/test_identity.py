"""Keys and passwords as the shell on this machine makes them, and as a server is told of them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from components.core.render import render
from components.servers import keys


def shell(script: str, folder: Path, path: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", script],
        capture_output=True,
        text=True,
        env={"PATH": path or os.environ["PATH"], "TMPDIR": str(folder)},
        check=False,
    )


@pytest.fixture
def generated(tmp_path: Path) -> str:
    """A key pair as pulumi-command hands it over: without the last line break."""
    if not shutil.which("ssh-keygen"):
        pytest.skip("ssh-keygen is not installed on this machine")
    folder = tmp_path / "temporary"
    folder.mkdir()
    done = shell(keys._NEW_KEY_PAIR, folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(folder.iterdir()) == [], "a private key was left on the disk"
    return done.stdout.rstrip("\n")


def test_the_private_half_belongs_to_the_public_one(generated: str, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text(keys._without_first_line(generated))
    derived = subprocess.run(
        ["ssh-keygen", "-y", "-P", "", "-f", str(key)], capture_output=True, text=True, check=True
    ).stdout
    public = keys._first_line(generated)
    assert public.startswith("ssh-ed25519 AAAA")
    assert derived.split()[:2] == public.split()[:2]


def test_no_two_key_pairs_are_the_same(tmp_path: Path, generated: str) -> None:
    assert shell(keys._NEW_KEY_PAIR, tmp_path).stdout.rstrip("\n") != generated


def test_the_key_is_readable_by_nobody_else_while_it_is_made(tmp_path: Path) -> None:
    fakes = tmp_path / "fakes"
    fakes.mkdir()
    modes = tmp_path / "modes"
    (fakes / "cat").write_text(f'#!/bin/sh\nstat -c %a "${{1%/*}}" "$2" >{modes}\n')
    (fakes / "cat").chmod(0o755)
    (tmp_path / "temporary").mkdir()
    path = f"{fakes}:{os.environ['PATH']}"
    shell(keys._NEW_KEY_PAIR, tmp_path / "temporary", path)
    assert modes.read_text().split() == ["700", "600"]


def test_where_no_key_can_be_made_it_fails_and_leaves_nothing(tmp_path: Path) -> None:
    fakes, temporary = tmp_path / "fakes", tmp_path / "temporary"
    fakes.mkdir()
    temporary.mkdir()
    (fakes / "ssh-keygen").write_text("#!/bin/sh\necho no entropy >&2\nexit 1\n")
    (fakes / "ssh-keygen").chmod(0o755)
    path = f"{fakes}:{os.environ['PATH']}"
    done = shell(keys._NEW_KEY_PAIR, temporary, path)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "no entropy" in done.stderr
    assert list(temporary.iterdir()) == []


def test_a_password_is_48_hexadecimal_digits_and_never_the_same(tmp_path: Path) -> None:
    made = {shell(keys._NEW_RANDOM_DIGITS, tmp_path).stdout for _ in range(5)}
    assert len(made) == 5
    for password in made:
        assert re.fullmatch("[0-9a-f]{48}", password)


def test_cloud_init_gets_the_keys_as_they_are(generated: str) -> None:
    private, public = keys._without_first_line(generated), keys._first_line(generated)
    text = render(
        "cloud-config.yaml",
        host_private_key=private,
        host_public_key=public,
        deploy_key="ssh-ed25519 AAAADEPLOY slipway",
    )
    assert text.startswith("#cloud-config\n")
    told = yaml.safe_load(text)
    assert told["ssh_keys"] == {"ed25519_private": private, "ed25519_public": public}
    [user] = told["users"]
    assert user["name"] == "deploy"
    assert user["ssh_authorized_keys"] == ["ssh-ed25519 AAAADEPLOY slipway"]
    assert user["lock_passwd"] is True


@pytest.mark.usefixtures("our_templates")
def test_cloud_config_has_not_changed() -> None:
    """At DigitalOcean a changed user_data replaces every server of every environment."""
    golden = Path(__file__).with_name("golden") / "cloud-config.yaml"
    private = "-----BEGIN KEY-----\nAAAA\nBBBB\n-----END KEY-----\n"
    text = render(
        "cloud-config.yaml",
        host_private_key=private,
        host_public_key="ssh-ed25519 HOST slipway",
        deploy_key="ssh-ed25519 DEPLOY slipway",
    )
    assert text == golden.read_text()
