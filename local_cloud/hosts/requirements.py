"""What this computer must have: checked with one clear message each; missing packages installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from local_cloud.hosts.commands import last_lines, run, succeeds
from local_cloud.hosts.kernel import SHARED
from local_cloud.machine import MachineError, Progress

PROGRAMS: Mapping[str, str] = {
    "systemd-nspawn": "systemd-container",
    "mmdebstrap": "mmdebstrap",
    "nft": "nftables",
    "apt-cacher-ng": "apt-cacher-ng",
    "haproxy": "haproxy",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "unshare": "util-linux",
    "nsenter": "util-linux",
}
"""The programs we start and the Debian packages they are in."""

OPTIONAL: Mapping[str, str] = {"knotd": "knot"}
"""Programs that only one product needs: without them the cloud starts all the same."""

SERVICES: Mapping[str, str] = {
    "apt-cacher-ng": "apt-cacher-ng.service",
    "haproxy": "haproxy.service",
    "knot": "knot.service",
}
"""The packages among them with a service of their own, which we have no use for."""

FORBIDDEN_IN_PATHS = ':,"\\'
"""What the options of an overlayfs mount give a meaning to."""

POLICY = Path("/usr/sbin/policy-rc.d")
DENY_SERVICES = (
    "#!/bin/sh\n# slipway: no service starts while its packages are installed\nexit 101\n"
)
LOCK_SECONDS = 300


def ensure(progress: Progress) -> None:
    """Check this computer and install the Debian packages it lacks.

    Raises `MachineError` naming the first need that cannot be met.
    """
    check_system()
    missing = sorted(
        {package for program, package in PROGRAMS.items() if not shutil.which(program)}
    )
    if missing:
        install(missing, progress)
    for program, package in OPTIONAL.items():
        try_to_install(program, package, progress)
    check_kernel()


def try_to_install(program: str, package: str, progress: Progress) -> None:
    """Install a package that the cloud can do without; if that fails, keep the reason.

    It is tried once until this computer restarts: without its mirror, apt-get takes its time.
    """
    note = _reason_without(program)
    if shutil.which(program) or note.exists():
        return
    try:
        install([package], progress)
        if not shutil.which(program):
            raise MachineError(f"the Debian package {package} brought no program {program}")
    except MachineError as error:
        progress(f"{error}; what needs it is refused")
        note.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        note.write_text(f"{error}\n")


def check_optional(program: str) -> None:
    """Raise `MachineError` saying why one of the `OPTIONAL` programs is not there."""
    if shutil.which(program):
        return
    package = OPTIONAL[program]
    try:
        reason = _reason_without(program).read_text().strip()
    except OSError:
        reason = f"the Debian package {package} is not installed"
    raise MachineError(f"{reason} (once `apt-get install {package}` succeeds, it works)")


def _reason_without(program: str) -> Path:
    return SHARED / f"without-{program}"


def check_system(platform: str = sys.platform, user: int | None = None) -> None:
    """An operating system and a user that can boot machines."""
    if platform != "linux":
        raise MachineError(
            f"the local cloud boots its droplets as Linux containers; this computer runs {platform}"
        )
    if (os.geteuid() if user is None else user) != 0:
        raise MachineError("the local cloud must be started by root (try again with sudo)")
    if not shutil.which("apt-get"):
        raise MachineError(
            "the local cloud needs Debian's apt-get on this computer, and there is none"
        )


def check_kernel() -> None:
    """The features of the kernel that no package can bring."""
    if "overlay" not in _file_systems() and not succeeds(["modprobe", "overlay"]):
        raise MachineError("this kernel has no overlayfs, which the droplets' disks need")
    if not succeeds(["unshare", "--net", "--mount", "--pid", "--fork", "true"]):
        raise MachineError(
            "this kernel (or the container we run in) allows no namespaces, which droplets need"
        )
    probe = "add table inet slipway_probe\ndelete table inet slipway_probe\n"
    try:
        run(["nft", "-f", "-"], stdin=probe)
    except MachineError as error:
        raise MachineError(
            f"this kernel has no nf_tables, which the firewalls need ({error})"
        ) from error
    if not any("cgroup" in line.split()[2] for line in _lines(Path("/proc/self/mounts"))):
        raise MachineError("no control groups are mounted on /sys/fs/cgroup, which systemd needs")


def check_folder(folder: Path) -> None:
    """A state folder on which an overlay can be mounted: not every file system allows that."""
    if any(character in str(folder) for character in FORBIDDEN_IN_PATHS):
        raise MachineError(
            f"the folder {folder} must not have any of {FORBIDDEN_IN_PATHS} in its name"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = tempfile.TemporaryDirectory(dir=folder, prefix=".probe-")
    except OSError as error:
        raise MachineError(f"the folder {folder} cannot be written: {error.strerror}") from error
    with probe as name:
        for part in ("lower", "upper", "work", "root"):
            (Path(name) / part).mkdir()
        mount = "mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root"
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", mount],
            cwd=name,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise MachineError(
                f"no overlay can be mounted in {folder}, which the droplets' disks need; choose a "
                f"folder on another file system: {last_lines(done.stderr)}"
            )


def install(packages: Iterable[str], progress: Progress) -> None:
    """Install Debian packages; none of their services is started, now or with this computer."""
    wanted = list(packages)
    progress(f"installing {', '.join(wanted)}")
    with services_held_back():
        # The lists of packages may be old, or none; they are fetched only if need be.
        if _apt("install", *wanted).returncode != 0:
            progress("fetching the list of packages")
            _apt("update")
            done = _apt("install", *wanted)
            if done.returncode != 0:
                raise MachineError(
                    f"apt-get cannot install {', '.join(wanted)}: {last_lines(done.stderr)}"
                )
    for package in wanted:
        if package in SERVICES and shutil.which("systemctl"):
            succeeds(["systemctl", "disable", "--quiet", SERVICES[package]])


@contextmanager
def services_held_back(policy: Path = POLICY) -> Iterator[None]:
    """Have packages install their services without starting them (invoke-rc.d(8))."""
    if policy.exists():  # somebody else's rule: it stays
        yield
        return
    policy.write_text(DENY_SERVICES)
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)


def _apt(*words: str) -> subprocess.CompletedProcess[str]:
    """Run it. Who holds the lock of the lists is waited for: apt's own time-out leaves it out."""
    done = _apt_once(*words)
    for _ in range(LOCK_SECONDS):
        if done.returncode == 0 or "lists/lock" not in done.stderr:
            break
        time.sleep(1)
        done = _apt_once(*words)
    return done


def _apt_once(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["apt-get", "-qq", "-y", "--no-install-recommends",
         "-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}", *words],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


def _file_systems() -> set[str]:
    return {line.split()[-1] for line in _lines(Path("/proc/filesystems"))}


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()
