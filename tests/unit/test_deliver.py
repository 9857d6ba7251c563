"""Having a release on a server: it is sent where it is missing, from wherever it is to be had.

The servers are folders with the real releasectl; only ssh and the engine are stand-ins.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.release import verify
from tests.s3_server import ACCESS, SECRET, can_be_built, s3_server
from tests.unit.releasectl_host import RELEASECTL, Host, new_host
from tests.unit.script_project import Project, new_project

RECORD = {"id": "", "commit": "c" * 40, "author": "Ada"}

# The last word is the command, the one before it the place: "deploy@<address>".
FAKE_SSH = """\
#!/bin/sh
for word; do place=$command; command=$word; done
echo "$place $command" >>"$FAKE/ssh"
root="$FAKE/servers/${place#deploy@}"
if [ ! -d "$root" ]; then echo "$place: Permission denied (publickey)." >&2; exit 255; fi
if [ -f "$FAKE/stumble" ]; then rm "$FAKE/stumble"; echo "Connection reset" >&2; exit 255; fi
. "$root/as_there"
eval "set -- ${command#*releasectl}"
exec "$PYTHON" -I "$RELEASECTL" --root "$(readlink -f "$root")" "$@"
"""


@dataclass
class Servers:
    """web at 10.0.0.1 and web-2 at 10.0.0.2."""

    project: Project
    hosts: dict[str, Host]

    @property
    def archives(self) -> Path:
        return Path(self.project.environment["SLIPWAY_HOME"]) / "releases" / "local"

    @property
    def asked(self) -> list[str]:
        path = self.project.fake / "ssh"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.split("--by ada ")[1].split()[0] for line in lines]

    def deliver(self, server: str, release: str, *options: str) -> subprocess.CompletedProcess[str]:
        address = address_of(server)
        given = {
            "hostname": server,
            "port": 22,
            "address": address,
            "host_key": "ssh-ed25519 AAAA",
            "private_key": "PRIVATE",
            "connect_seconds": 1,
            "releasectl": "sudo releasectl --app site --by ada",
            "record": {**RECORD, "id": release},
        }
        words = ("local", server, release, *options)
        return subprocess.run(
            ["python3", "-m", "cli.releases.upload_release", *words],
            input=json.dumps(given),
            cwd=self.project.folder,
            env=self.project.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def packed(self) -> str:
        """A new release, packed on this machine."""
        release = self.hosts["web"].upload()
        upload = self.hosts["web"].base / "incoming" / f"{release}.tar.gz"
        self.archives.mkdir(parents=True)
        upload.rename(self.archives / upload.name)
        return release


def address_of(server: str) -> str:
    return {"web": "10.0.0.1", "web-2": "10.0.0.2"}[server]


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    project = new_project(tmp_path)
    (project.fake / "ssh-program").write_text(FAKE_SSH)
    (project.fake / "ssh-program").chmod(0o755)
    programs = project.fake / "programs"
    programs.mkdir()
    (programs / "ssh").symlink_to("../ssh-program")
    (project.fake / "servers").mkdir()
    Path(project.environment["SLIPWAY_HOME"]).mkdir(parents=True)
    project.environment["PATH"] = f"{programs}:{project.environment['PATH']}"
    project.environment |= {"RELEASECTL": str(RELEASECTL)}
    with new_host() as web, new_host() as web_2:
        hosts = {"web": web, "web-2": web_2}
        resources = [
            {"type": "command:local:Command", "urn": "x::deploy-key", "outputs": pair()},
        ]
        for name, host in hosts.items():
            (project.fake / "servers" / address_of(name)).symlink_to(host.root)
            exports = {**host.env, "PYTHON": shutil.which("python3") or "python3"}
            (host.root / "as_there").write_text(
                "".join(f"export {key}='{value}'\n" for key, value in exports.items())
            )
            droplet = {"name": name, "ipv4Address": address_of(name)}
            resources += [
                {"type": "x:Droplet", "urn": f"x::{name}", "outputs": droplet},
                {"type": "x:Command", "urn": f"x::{name}-host-key", "outputs": pair()},
            ]
        (project.fake / "state").write_text(json.dumps({"deployment": {"resources": resources}}))
        yield Servers(project, hosts)


def pair() -> dict[str, str]:
    return {"stdout": "ssh-ed25519 AAAA\nPRIVATE"}


def test_a_new_release_is_sent_and_staged_in_one_go(servers: Servers) -> None:
    release = servers.packed()
    done = servers.deliver("web", release)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["changed"] is True
    [listed] = servers.hosts["web"].run("list", "--json").result["releases"]
    assert (listed["id"], listed["author"]) == (release, "Ada")
    assert servers.asked == ["stage"]
    assert servers.hosts["web"].names("incoming") == []


def test_a_server_that_has_it_is_sent_nothing(servers: Servers) -> None:
    release = servers.packed()
    servers.deliver("web", release)
    shutil.rmtree(servers.archives)
    done = servers.deliver("web", release)
    assert json.loads(done.stdout)["changed"] is False
    assert servers.asked == ["stage", "stage"]
    assert not servers.archives.exists(), "nothing was fetched either"


def test_a_kept_one_that_is_bad_there_does_not_come_back(servers: Servers) -> None:
    release = servers.packed()
    servers.deliver("web", release)
    mark = servers.hosts["web"].base / "releases" / release / ".slipway" / "BAD"
    mark.write_text(json.dumps({"reason": "it ate the disk"}))
    done = servers.deliver("web", release, "--kept")
    assert done.returncode == 1
    assert "it ate the disk" in done.stderr


def test_without_an_archive_here_another_server_gives_it(servers: Servers) -> None:
    release = servers.packed()
    servers.deliver("web", release)
    shutil.rmtree(servers.archives)
    done = servers.deliver("web-2", release)
    assert done.returncode == 0, done.stderr
    assert f"release {release} for web-2 came from web" in done.stderr
    assert servers.hosts["web-2"].states() == {release: "ready"}
    [kept] = servers.archives.glob("*.tar.gz")
    assert verify.identify(kept) == release
    assert servers.asked == ["stage", "stage", "pack"]


def test_where_nobody_has_it_one_message_says_who_was_asked(servers: Servers) -> None:
    release, absent = servers.packed(), "0" * 12
    servers.deliver("web", release)
    done = servers.deliver("web-2", absent)
    assert done.returncode == 1
    [said] = done.stderr.strip().splitlines()
    assert f"web-2 does not have release {absent}, and it is to be had nowhere" in said
    assert "no bucket is set (artifactBucket)" in said
    assert f"web: it is not on this server (releases here: {release})" in said
    for host in servers.hosts.values():
        assert host.names("incoming") == [], "nothing half-done is left"
    assert list(servers.archives.glob("*.partial")) == []


def test_without_an_archive_here_the_bucket_comes_before_the_servers(
    servers: Servers, tmp_path: Path
) -> None:
    if not can_be_built():
        pytest.skip("no Go to build the S3 server of tools/s3")
    release = servers.packed()
    with s3_server(tmp_path / "s3") as server:
        server.make_bucket("team")
        folder = server.folder / "team" / "slipway" / "local"
        folder.mkdir(parents=True)
        shutil.move(servers.archives / f"{release}.tar.gz", folder)
        servers.project.settings(
            "config:\n  slipway:artifactBucket: team\n"
            f"  slipway:artifactEndpoint: {server.endpoint}\n"
        )
        servers.project.environment |= {
            "AWS_ACCESS_KEY_ID": ACCESS,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }
        done = servers.deliver("web", release)
    assert done.returncode == 0, done.stderr
    assert f"release {release} for web came from bucket team" in done.stderr
    assert servers.asked == ["stage"]


def test_an_archive_that_holds_another_release_is_refused_by_the_server(servers: Servers) -> None:
    release, wrong = servers.packed(), "0" * 12
    (servers.archives / f"{release}.tar.gz").rename(servers.archives / f"{wrong}.tar.gz")
    done = servers.deliver("web", wrong)
    assert done.returncode == 1
    assert f"contains release {release}, not {wrong}" in done.stderr
    assert servers.hosts["web"].names("releases") == []


def test_a_connection_that_stumbles_is_tried_again(servers: Servers) -> None:
    release = servers.packed()
    (servers.project.fake / "stumble").touch()
    assert servers.deliver("web", release).returncode == 0
    assert servers.hosts["web"].states() == {release: "ready"}


def test_a_server_that_refuses_us_is_named_at_once(servers: Servers) -> None:
    release = servers.packed()
    (servers.project.fake / "servers" / address_of("web")).unlink()
    done = servers.deliver("web", release)
    assert done.returncode == 1
    assert "slipway: web (10.0.0.1) cannot be reached" in done.stderr
    assert servers.asked == ["stage"], "another try would end the same"


def test_no_key_is_left_on_this_machine(servers: Servers) -> None:
    release = servers.packed()
    servers.deliver("web", release)
    home = Path(servers.project.environment["SLIPWAY_HOME"])
    files = [path for path in home.rglob("*") if path.is_file()]
    assert [path.name for path in files] == [f"{release}.tar.gz"]
