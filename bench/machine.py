"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.site import ROOT, Site


def describe(site: Site) -> dict[str, Any]:
    """Of a site that is set up; nothing in it tells whose machine it is."""
    return {
        "cores": os.cpu_count(),
        "memory_mb": _first(r"MemTotal:\s+(\d+)", "/proc/meminfo", 1024),
        "processor": _text(r"model name\s*: (.*)", "/proc/cpuinfo"),
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "python": platform.python_version(),
        "pulumi": _said(str(site.folder / ".slipway/engine/bin/pulumi"), "version"),
        "plugins": _plugins(site.folder / ".slipway/pulumi/plugins"),
    }


def _plugins(folder: Path) -> str:
    """The official plugins are programs of the machine; our stand-ins are started by a script."""
    programs = folder.glob("resource-*/pulumi-resource-*")
    is_script = [program.read_bytes()[:2] == b"#!" for program in programs]
    return "the stand-ins of local_cloud/plugins" if any(is_script) else "official"


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def commit() -> str:
    """The commit that is measured; with a + where the working tree is not that commit."""
    dirty = _said("git", "-C", str(ROOT), "status", "--porcelain")
    return _said("git", "-C", str(ROOT), "rev-parse", "--short=10", "HEAD") + ("+" if dirty else "")


def _said(*command: str) -> str:
    return subprocess.check_output(command, text=True).strip()


def _text(pattern: str, path: str) -> str:
    found = re.search(pattern, Path(path).read_text())
    return found[1].strip() if found else "unknown"


def _first(pattern: str, path: str, divisor: int) -> int:
    return int(_text(pattern, path)) // divisor
