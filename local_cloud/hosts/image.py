"""Base images: a Debian tree for each distribution slug, built once per user by mmdebstrap.

An image's folder carries the hash of its recipe, so that a changed recipe (or mirror, or
certificate) makes a new image and never changes one that machines run on.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_cloud.hosts import mirrors
from local_cloud.hosts.commands import last_lines
from local_cloud.hosts.guest_files import IMAGE_FILES
from local_cloud.hosts.package_cache import PackageCache
from local_cloud.machine import MachineError, Progress

RELEASES: Mapping[str, str] = {"debian-12-x64": "bookworm", "debian-13-x64": "trixie"}
"""DigitalOcean's slugs and Debian's names."""

PACKAGES = (
    "ca-certificates",
    "cloud-init",
    "curl",
    "dbus",
    "iproute2",
    "iputils-ping",
    "less",
    "netbase",
    "openssh-server",
    "procps",
    "python3",
    "sudo",
    "systemd",
    "systemd-sysv",
)
"""What a DigitalOcean Debian image can be assumed to have, as small as it gets."""

DISABLED_UNITS = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "fstrim.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "cloud-init-hotplugd.socket",
)
"""Not needed by a machine of minutes, but may be enabled again (unattended upgrades do)."""

MASKED_UNITS = (
    "getty.target",
    "console-getty.service",
    "systemd-pstore.service",
    "systemd-networkd-wait-online.service",
    "dev-hugepages.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "sys-kernel-config.mount",
    "sys-fs-fuse-connections.mount",
    "proc-sys-fs-binfmt_misc.automount",
    "systemd-firstboot.service",
    "ldconfig.service",
)
"""What a machine in a container cannot use, and would only wait for or fail at."""

GENERATORS = (
    "systemd-cryptsetup-generator",
    "systemd-debug-generator",
    "systemd-getty-generator",
    "systemd-gpt-auto-generator",
    "systemd-hibernate-resume-generator",
    "systemd-integritysetup-generator",
    "systemd-run-generator",
    "systemd-veritysetup-generator",
)
"""What looks for disks, consoles and kernel parameters, which a machine in a container does not
have: at each boot and each `daemon-reload`, a process for each (systemd.generator(7))."""

REVISION = 2
"""To be raised when `_bootstrap` or `_finish` change: what they do is a part of the recipe."""

CERTIFICATES = Path("/usr/local/share/ca-certificates")
REPORT_SECONDS = 2.0


@dataclass(frozen=True)
class Images:
    """The images of one user's cache."""

    cache: Path

    def path(self, slug: str) -> Path:
        """Where the image is, or will be. Raises `MachineError` for an unknown slug."""
        if slug not in RELEASES:
            raise MachineError(f"image {slug!r}: this cloud has {', '.join(sorted(RELEASES))}")
        return self.cache / "images" / f"{slug}-{self._recipe(slug)}"

    def prepare(self, slug: str, progress: Progress) -> Path:
        """Return the image, built first if there is none yet (a minute)."""
        image = self.path(slug)
        if image.is_dir():
            return image
        image.parent.mkdir(parents=True, exist_ok=True)
        with _only_builder(image.parent / f"{slug}.lock", slug, progress):
            if not image.is_dir():
                self._build(slug, image, progress)
        return image

    def _build(self, slug: str, image: Path, progress: Progress) -> None:
        for abandoned in image.parent.glob(f".building-{slug}-*"):
            shutil.rmtree(abandoned)
        aside = image.parent / f".building-{image.name}"
        started = time.monotonic()
        sources = _sources(slug)
        cache = PackageCache(self.cache)
        progress(f"image {slug}: fetching the list of packages")
        try:
            with cache.while_building() as proxy:
                _bootstrap(slug, aside, mirrors.render(sources), proxy, progress)
            progress(f"image {slug}: setting up")
            _finish(aside, mirrors.render(sources))
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        aside.rename(image)
        progress(f"image {slug}: ready after {time.monotonic() - started:.0f} s")

    def _recipe(self, slug: str) -> str:
        """A hash of all that the image is made from."""
        certificates = [path.read_bytes() for path in sorted(CERTIFICATES.rglob("*.crt"))]
        made_of = [
            REVISION,
            mirrors.render(_sources(slug)),
            PACKAGES,
            DISABLED_UNITS,
            MASKED_UNITS,
            GENERATORS,
            sorted(IMAGE_FILES.items()),
            [certificate.hex() for certificate in certificates],
        ]
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12]


def _sources(slug: str) -> list[mirrors.Source]:
    return mirrors.sources_for(RELEASES[slug], mirrors.own_sources(), mirrors.codename())


def _bootstrap(slug: str, tree: Path, sources: str, proxy: str | None, progress: Progress) -> None:
    """Let mmdebstrap make the tree, telling how far it is."""
    options = [
        "--mode=root",
        "--variant=minbase",
        # As in a DigitalOcean image: a machine fetches only what has changed since.
        "--skip=cleanup/apt/lists",
        "--verbose",
        f"--include={','.join(PACKAGES)}",
        "--dpkgopt=force-unsafe-io",
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Languages "none"',
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/man/*/*/*",
    ]
    if proxy:
        options.append(f'--aptopt=Acquire::http::Proxy "{proxy}"')
    # It mounts parts of this machine, such as /dev/shm, in the tree. In a namespace of its own they
    # are gone when it ends, however it ends: removing an abandoned tree would empty them.
    command = ["unshare", "--mount", "mmdebstrap", *options, RELEASES[slug], str(tree), "-"]
    output: deque[str] = deque(maxlen=30)
    steps = InstallationProgress()
    told = 0.0
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as builder:
        assert builder.stdin is not None
        assert builder.stdout is not None
        try:
            builder.stdin.write(sources)
            builder.stdin.close()
            for line in builder.stdout:
                output.append(line)
                steps.read(line)
                if steps.text and time.monotonic() - told > REPORT_SECONDS:
                    told = time.monotonic()
                    progress(f"image {slug}: {steps.text}")
        except BaseException:
            builder.terminate()
            raise
    if builder.returncode != 0:
        told_by_tool = [line for line in output if line.startswith(("E:", "Err:", "W:"))]
        raise MachineError(f"image {slug}: {last_lines(chr(10).join(told_by_tool or output))}")


class InstallationProgress:
    """How far an installation is, from the lines of apt and dpkg; it comes in several rounds."""

    def __init__(self) -> None:
        self.text = ""
        self._total = 0
        self._fetched = 0
        self._installed = 0

    def read(self, line: str) -> None:
        if found := re.search(r"(\d+) newly installed", line):
            # What a round before had to fetch may have been there already.
            self._fetched = self._total
            self._total += int(found.group(1))
        elif self._total and line.startswith("Get:"):
            self._fetched += 1
        elif line.startswith("Setting up "):
            self._installed += 1
            self.text = f"installing packages {self._installed}/{self._total}"
            return
        else:
            return
        if self._total:
            self.text = f"fetching packages {self._fetched}/{self._total}"


def _finish(tree: Path, sources: str) -> None:
    """What turns a Debian tree into the image of a machine that boots fast and knows nobody."""
    for path in (tree / "etc/apt/sources.list.d").iterdir():
        path.unlink()
    (tree / "etc/apt/sources.list").unlink(missing_ok=True)
    (tree / "etc/apt/sources.list.d/debian.sources").write_text(sources)
    # It holds the options of this build, such as a proxy that machines do not have.
    (tree / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)
    (tree / "etc/dpkg/dpkg.cfg.d/99mmdebstrap").unlink(missing_ok=True)
    for name, content in IMAGE_FILES.items():
        path = tree / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for certificate in CERTIFICATES.rglob("*.crt"):
        copy = tree / CERTIFICATES.relative_to("/") / certificate.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(certificate, copy)
    generators = tree / "etc/systemd/system-generators"
    generators.mkdir(parents=True, exist_ok=True)
    for name in GENERATORS:
        (generators / name).symlink_to("/dev/null")
    _inside(tree, "apt-cache", "gencaches")
    _inside(tree, "update-ca-certificates")
    _inside(tree, "systemctl", "disable", "--quiet", *_present(tree, DISABLED_UNITS))
    _inside(tree, "systemctl", "mask", "--quiet", *MASKED_UNITS)
    for key in (tree / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    # Empty: every machine makes its own at the first boot (machine-id(5)).
    (tree / "etc/machine-id").write_text("")
    (tree / "var/log/journal").mkdir(exist_ok=True)
    for folder in ("pip", "uv"):
        (tree / "var/cache/slipway" / folder).mkdir(parents=True)
    (tree / "etc/resolv.conf").unlink(missing_ok=True)
    (tree / "etc/hostname").unlink(missing_ok=True)


def _present(tree: Path, units: tuple[str, ...]) -> list[str]:
    folders = [tree / "usr/lib/systemd/system", tree / "lib/systemd/system"]
    return [unit for unit in units if any((folder / unit).exists() for folder in folders)]


def _inside(tree: Path, *command: str) -> None:
    done = subprocess.run(["chroot", tree, *command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MachineError(f"{command[0]} in the image failed: {last_lines(done.stderr)}")


@contextmanager
def _only_builder(path: Path, slug: str, progress: Progress) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"image {slug}: another process builds it; waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
