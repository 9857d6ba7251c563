"""The present state of a server as plain data: nothing is judged, nothing is changed.

scripts/status sends this file to Python on the server, with a call of `survey` at its end. It runs
as root, on Python 3.9 or later, with the standard library only.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

RECORDS = Path("/var/lib/slipway")
CERTIFICATES = Path("/etc/slipway/certificates.json")
JOURNAL = Path("/var/log/slipway/history.jsonl")
TIMEOUT_SECONDS = 12


def survey(
    system: dict[str, Any],
    files: list[str],
    units: list[str],
    app: str | None = None,
    postgresql: bool = False,
    sites: tuple[str, ...] = (),
) -> str:
    """The state as one JSON object.

    Args:
        system: names, paths and queries of the distribution
            (components/servers/distributions/distribution.py, `facts`).
        files: absolute paths to examine.
        units: full names of systemd units.
        app: name of the application on this server.
        postgresql: whether PostgreSQL should run here.
        sites: names of the applications of further sites.
    """
    # The only commands that may take long: they run while the rest is collected.
    apps = [*([app] if app else []), *sites]
    releases = {each: start("releasectl", "--app", each, "status") for each in apps}
    https = start("certctl", "status") if CERTIFICATES.exists() else None
    found: dict[str, Any] = {
        "time": time.time(),
        "load": os.getloadavg()[0],
        "processors": os.cpu_count(),
        "memory": memory(),
        "disk": disk(),
        "uptime": uptime(),
        "reboot_required": Path("/run/reboot-required").exists(),
        "units": {unit: unit_state(unit) for unit in units},
        "failed_units": failed_units(),
        "missing_packages": missing_packages(system),
        "files": {path: file_state(Path(path)) for path in files},
        "certificates": certificates(),
        "last_change": last_change(JOURNAL, *(Path("/srv", each, JOURNAL.name) for each in apps)),
    }
    if postgresql:
        found["postgresql"] = {"version": system["postgresql"], "accepts": accepts(system)}
    if app:
        found["application"] = application_state(releases[app])
        found["maintenance"] = shows_maintenance(system, app)
    if CERTIFICATES.exists():
        found["https"] = answer_of(https, "certctl")
    if sites:
        found["sites"] = {each: application_state(releases[each]) for each in sites}
    return json.dumps(found)


def start(*command: str) -> subprocess.Popen[str] | None:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    except OSError:
        return None  # there is no such program


def output(*command: str) -> str:
    """Standard output, whatever the exit status; empty if the program is missing or hangs."""
    process = start(*command)
    if process is None:
        return ""
    try:
        return process.communicate(timeout=TIMEOUT_SECONDS)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        return ""


def memory() -> dict[str, int]:
    """Memory in bytes. What the kernel can reclaim at once counts as free."""
    lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    total, free = kilobytes["MemTotal"] * 1024, kilobytes["MemAvailable"] * 1024
    return {"total": total, "used": total - free}


def disk() -> dict[str, int]:
    """Size of the root file system in bytes, without blocks reserved for root, like df(1)."""
    usage = shutil.disk_usage("/")
    return {"total": usage.used + usage.free, "used": usage.used}


def uptime() -> float:
    """Seconds since PID 1 started, which in a container is later than the machine's boot."""
    machine = float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0])
    # After the name, which may hold anything, starttime is the 20th (proc(5)).
    first = Path("/proc/1/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return machine - int(first[19]) / os.sysconf("SC_CLK_TCK")


def unit_state(unit: str) -> dict[str, str]:
    return {
        "active": output("systemctl", "is-active", unit).strip(),
        # Not `show`, which reports the state before `enable --no-reload`.
        "enabled": output("systemctl", "is-enabled", unit).strip(),
    }


def failed_units() -> list[str]:
    listed = output("systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full")
    return [line.split()[0] for line in listed.splitlines() if line.strip()]


def missing_packages(system: dict[str, Any]) -> list[str] | None:
    """Packages that Slipway installed and that are missing now; None if it never installed any."""
    try:
        wanted = (RECORDS / "packages").read_text(encoding="utf-8").split()
    except FileNotFoundError:
        return None
    listed = output(*system["installed"], *wanted)
    have = {line.split()[1] for line in listed.splitlines() if line.startswith("ii ")}
    return [package for package in wanted if package not in have]


def file_state(path: Path) -> dict[str, Any] | None:
    """State of a file; None if it is missing. `recorded` is the hash of what was installed."""
    import grp
    import pwd

    try:
        status = path.stat()
        content = path.read_bytes()
    except OSError:
        return None
    try:
        owner = f"{pwd.getpwuid(status.st_uid).pw_name}:{grp.getgrgid(status.st_gid).gr_name}"
    except KeyError:
        owner = f"{status.st_uid}:{status.st_gid}"
    record = RECORDS / "files" / hashlib.sha256(str(path).encode()).hexdigest()[:16]
    try:
        recorded = (record / "put").read_text(encoding="utf-8").split("\n")[0]
    except FileNotFoundError:
        recorded = None
    return {
        "sha256": hashlib.sha256(content).hexdigest(),
        "mode": f"{status.st_mode & 0o7777:04o}",
        "owner": owner,
        "changed": status.st_ctime,
        "recorded": recorded,
    }


def certificates() -> dict[str, float | None]:
    """Expiry of the certificates in nginx's configuration, by file; None if unreadable."""
    found = {}
    for folder in ("sites-enabled", "conf.d"):
        for configuration in Path("/etc/nginx", folder).glob("*"):
            try:
                text = configuration.read_text(encoding="utf-8")
            except OSError:
                continue
            for name in re.findall(r"(?m)^\s*ssl_certificate\s+\"?([^;\"$]+)\"?;", text):
                if not name.endswith("/tls/chain.pem"):  # of which certctl tells
                    found[name] = certificate_end(name)
    return found


def certificate_end(path: str) -> float | None:
    shown = output("openssl", "x509", "-noout", "-enddate", "-in", path).strip()
    try:
        ends = time.strptime(shown, "notAfter=%b %d %H:%M:%S %Y %Z")
    except ValueError:
        return None
    return calendar.timegm(ends)


def accepts(system: dict[str, Any]) -> bool:
    ready = output(system["pg_isready"], "--timeout=3")
    return ready.rstrip().endswith("accepting connections")


def application_state(release: subprocess.Popen[str] | None) -> dict[str, Any]:
    """The output of `releasectl status`, or `error`."""
    found = answer_of(release, "releasectl")
    found.pop("releases", None)
    return found


def answer_of(program: subprocess.Popen[str] | None, name: str) -> dict[str, Any]:
    """The JSON object that a program prints, or `error`."""
    if program is None:
        return {"error": f"there is no {name}"}
    try:
        said, complaint = program.communicate(timeout=TIMEOUT_SECONDS)
        found: dict[str, Any] = json.loads(said)
    except subprocess.TimeoutExpired:
        program.kill()
        return {"error": f"{name} does not end"}
    except ValueError:
        return {"error": complaint.strip() or f"{name} says nothing"}
    return found


def shows_maintenance(system: dict[str, Any], app: str) -> bool:
    try:
        site = Path(system["site"].format(app=app)).read_text(encoding="utf-8")
    except OSError:
        return False
    return "error_page 503 /maintenance.html" in site


def last_change(*journals: Path) -> dict[str, Any] | None:
    """The newest entry of all journals. The last line of each is its newest."""
    found = [entry for entry in map(last_entry, journals) if entry]
    return max(found, key=lambda entry: str(entry.get("at")), default=None)


def last_entry(journal: Path) -> dict[str, Any] | None:
    try:
        lines = journal.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # a power cut tore this line
        if isinstance(entry, dict):
            return entry
    return None
