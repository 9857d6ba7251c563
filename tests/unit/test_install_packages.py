"""Packages on a server, told by a real shell to a dpkg and an apt-get of ours."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.core.render import render

DPKG_QUERY = """\
#!/bin/sh
# dpkg-query -W -f FORMAT PACKAGE...: a line for each that it knows, else status 1.
shift 3
status=0
for package in "$@"; do
  if grep -qx "$package" "$FAKE/installed"; then
    echo "ii  $package"
  elif grep -qx "$package" "$FAKE/removed"; then
    echo "rc  $package"
  else
    echo "dpkg-query: no packages found matching $package" >&2
    status=1
  fi
done
exit $status
"""
DPKG = """\
#!/bin/sh
echo "dpkg $*" >>"$FAKE/called"
if [ -s "$FAKE/dpkg-says" ]; then
  cat "$FAKE/dpkg-says" >&2
  # Next time the one who had the lock is done.
  case $(cat "$FAKE/dpkg-says") in *lock*) : >"$FAKE/dpkg-says" ;; esac
  exit 2
fi
"""
APT_GET = """\
#!/bin/sh
echo "apt-get $*" >>"$FAKE/called"
case $1 in
  update)
    if [ -s "$FAKE/lists-say" ]; then
      cat "$FAKE/lists-say" >&2
      # Next time the one who had the lock is done.
      case $(cat "$FAKE/lists-say") in */lock*) : >"$FAKE/lists-say" ;; esac
      exit 100
    fi ;;
  install)
    if [ -e "$FAKE/broken" ]; then cat "$FAKE/broken" >&2; exit 100; fi
    echo "Reading package lists..."
    for percent in 0 10 30 55 80 100; do
      echo "dlstatus:1:$percent.0000:Retrieving file" >&3
    done
    for percent in 0 40 60 100; do echo "pmstatus:x:$percent.0000:Setting up" >&3; done
    for word in "$@"; do
      case $word in -* | install | *::*) ;; *) echo "$word" >>"$FAKE/installed" ;; esac
    done ;;
esac
"""


@dataclass
class Server:
    fake: Path

    def install(
        self, *packages: str, afterwards: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        script = render("install_packages.sh", packages=list(packages), afterwards=afterwards)
        return subprocess.run(
            ["sh", "-c", script],
            capture_output=True,
            text=True,
            env={
                "PATH": f"{self.fake}:{os.environ['PATH']}",
                "FAKE": str(self.fake),
                "TMPDIR": str(self.fake / "tmp"),
                "SLIPWAY_RECORDS": str(self.fake / "records"),
            },
            check=False,
        )

    def has(self, *packages: str, removed: tuple[str, ...] = ()) -> None:
        (self.fake / "installed").write_text("".join(f"{each}\n" for each in packages))
        (self.fake / "removed").write_text("".join(f"{each}\n" for each in removed))

    @property
    def called(self) -> str:
        path = self.fake / "called"
        return path.read_text() if path.exists() else ""

    @property
    def installed(self) -> set[str]:
        return set((self.fake / "installed").read_text().split())


@pytest.fixture
def server(tmp_path: Path) -> Server:
    for name, text in (("dpkg-query", DPKG_QUERY), ("dpkg", DPKG), ("apt-get", APT_GET)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    (tmp_path / "tmp").mkdir()
    server = Server(tmp_path)
    server.has()
    return server


def test_where_nothing_is_missing_nothing_is_called(server: Server) -> None:
    server.has("nginx-light", "python3-venv")
    done = server.install("nginx-light", "python3-venv")
    assert (done.returncode, done.stdout) == (0, "packages: ready\n")
    assert server.called == ""


def test_the_real_dpkg_query_is_understood(server: Server) -> None:
    if not shutil.which("dpkg-query"):
        pytest.skip("dpkg-query is not installed on this machine")
    (server.fake / "dpkg-query").unlink()
    server.install("dash", "coreutils", "no-such-package")
    install = next(line for line in server.called.splitlines() if "apt-get install" in line)
    assert install.endswith(" APT::Status-Fd=3 no-such-package")


def test_only_what_is_missing_is_installed(server: Server) -> None:
    server.has("nginx-light")
    done = server.install("nginx-light", "libstdc++6", "python3-venv")
    assert done.returncode == 0, done.stderr
    assert server.installed == {"nginx-light", "libstdc++6", "python3-venv"}
    install = next(line for line in server.called.splitlines() if "apt-get install" in line)
    assert "nginx-light" not in install


def test_a_package_of_which_only_the_configuration_is_left_is_missing(server: Server) -> None:
    server.has(removed=("nginx-light",))
    assert server.install("nginx-light").returncode == 0
    assert server.installed == {"nginx-light"}


def test_it_says_how_far_it_is(server: Server) -> None:
    assert server.install("nginx-light").stdout.splitlines() == [
        "packages: fetching the lists",
        "packages: installing nginx-light ",
        "packages: downloaded 25 %",
        "packages: downloaded 50 %",
        "packages: downloaded 75 %",
        "packages: downloaded 100 %",
        "packages: set up 25 %",
        "packages: set up 50 %",
        "packages: set up 100 %",
        "packages: ready",
    ]


def test_what_a_killed_run_left_is_cleaned_up_before_anything_is_installed(server: Server) -> None:
    server.install("nginx-light")
    called = [" ".join(line.split()[:2]) for line in server.called.splitlines()]
    assert called == ["dpkg --configure", "apt-get update", "apt-get install"]


def test_it_waits_for_another_apt_rather_than_failing(server: Server) -> None:
    server.install("nginx-light")
    for line in server.called.splitlines():
        assert line.startswith("dpkg ") or "DPkg::Lock::Timeout=" in line


def test_a_failure_is_told_in_apts_own_words(server: Server) -> None:
    (server.fake / "broken").write_text("E: Unable to locate package nginx-ligth\n")
    done = server.install("nginx-ligth")
    assert done.returncode == 1
    assert "E: Unable to locate package nginx-ligth" in done.stderr
    assert "packages: could not install nginx-ligth" in done.stderr
    assert "packages: ready" not in done.stdout


def test_one_package_that_is_not_to_be_had_is_a_failure_beside_good_ones(server: Server) -> None:
    server.has("nginx-light")
    (server.fake / "broken").write_text("E: Unable to locate package no-such\n")
    done = server.install("nginx-light", "no-such")
    assert done.returncode == 1
    assert "packages: could not install no-such" in done.stderr


@pytest.mark.parametrize("outcome", ["good", "bad"])
def test_nothing_is_left_in_the_folder_for_temporary_files(server: Server, outcome: str) -> None:
    if outcome == "bad":
        (server.fake / "broken").write_text("E: no\n")
    server.install("nginx-light")
    assert list((server.fake / "tmp").iterdir()) == []


def test_a_failure_of_the_lists_stops_it_in_apts_own_words(server: Server) -> None:
    text = APT_GET.replace("case $1 in", 'case $1 in update) echo "E: no lists" >&2; exit 100 ;;')
    (server.fake / "apt-get").write_text(text)
    done = server.install("nginx-light")
    assert done.returncode != 0
    assert "E: no lists" in done.stderr
    assert "install" not in server.called


def test_what_was_asked_for_is_recorded_once_it_is_there(server: Server) -> None:
    record = server.fake / "records" / "packages"
    (server.fake / "broken").write_text("E: no\n")
    server.install("nginx-light")
    assert not record.exists()
    (server.fake / "broken").unlink()
    server.install("nginx-light", "python3-venv")
    assert record.read_text() == "nginx-light\npython3-venv\n"


def test_what_belongs_to_the_packages_is_done_each_time(server: Server) -> None:
    server.has("nginx-light")
    done = server.install("nginx-light", afterwards=("echo 'it'\"'\"'s done'", "echo more"))
    assert done.stdout == "it's done\nmore\npackages: ready\n"


def test_a_failure_of_what_belongs_to_them_is_a_failure(server: Server) -> None:
    server.has("nginx-light")
    done = server.install("nginx-light", afterwards=("false",))
    assert done.returncode != 0
    assert "packages: ready" not in done.stdout


def test_another_installation_is_waited_for(server: Server) -> None:
    """Such as that of a run that was killed on our side and goes on there."""
    server.has()
    (server.fake / "dpkg-says").write_text("dpkg: error: dpkg frontend lock was locked by pid 7\n")
    done = server.install("nginx-light")
    assert done.returncode == 0, done.stderr
    assert "packages: another installation is at work" in done.stdout
    assert server.called.count("dpkg --configure") == 2


def test_packages_that_cannot_be_configured_end_it_at_once(server: Server) -> None:
    server.has()
    (server.fake / "dpkg-says").write_text("dpkg: error: disk full\n")
    done = server.install("nginx-light")
    assert done.returncode == 1
    assert done.stderr == "dpkg: error: disk full\n"


def test_who_holds_the_lists_is_waited_for(server: Server) -> None:
    (server.fake / "lists-say").write_text("E: Could not get lock /var/lib/apt/lists/lock\n")
    done = server.install("dash")
    assert done.returncode == 0
    assert "another installation is at work" in done.stdout
    assert server.called.count("apt-get update") == 2


def test_lists_that_cannot_be_had_are_not_asked_for_again(server: Server) -> None:
    (server.fake / "lists-say").write_text("E: no such mirror\n")
    done = server.install("dash")
    assert (done.returncode, done.stderr) == (1, "E: no such mirror\n")
    assert server.called.count("apt-get update") == 1
