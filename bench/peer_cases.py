"""What is measured of every contender. Each case does its work, and looks whether it was done."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.cases import CLICK
from bench.contenders import NAMES, Contender, Slipway
from bench.memory import Watched
from bench.results import Figure
from bench.site import ROOT, USERS
from bench.work import Values, expect
from tests.visitors import Visitors

SECONDS = (Figure(name="seconds", unit="s", goal=None),)
SIXTY = ROOT / "bench" / "peers" / "sixty.txt"
MEGABYTES = (1, 10, 100)
FILES = 10_000
PAST = (5, 500)


@dataclass(frozen=True, kw_only=True)
class PeerCase:
    """A name to ask for, a line that says what it is, its figures, and how one run goes."""

    name: str
    does: str
    run: Callable[[Contender], Values]
    figures: tuple[Figure, ...] = SECONDS
    quick: bool = True
    """Whether there is time for it in a quick run."""
    most_runs: int = 100
    sizes: tuple[int, ...] | None = None
    """On how many servers it is measured; None for all that are asked for."""
    who: tuple[str, ...] = NAMES
    """Of the contenders."""


def measure_nothing(who: Contender) -> Values:
    before = _traces(who)
    seconds = who.everything().seconds
    expect(
        _traces(who) == before, f"{who.name}: a run with nothing to change has changed something"
    )
    return {"seconds": seconds}


def measure_nginx(who: Contender) -> Values:
    """The upload limit: one line of the site's configuration."""
    number = who.body_megabytes % 40 + 1
    who.set_body_megabytes(number)
    seconds = who.everything().seconds
    line = f"client_max_body_size {number}m;"
    for said in who.hosts.on_all(who.web, f"grep -c '{line}' {who.nginx_site}; nginx -T 2>&1"):
        expect(said.startswith("1") and line in said, f"{who.name}: nginx has not got {line}")
    _expect_served(who)
    return {"seconds": seconds}


def measure_code(who: Contender) -> Values:
    before = who.released()
    who.new_edition()
    seconds = who.release().seconds
    expect(who.released() != before, f"{who.name}: it is still the release {before}")
    _expect_served(who)
    return {"seconds": seconds}


def measure_requirements(who: Contender) -> Values:
    """One package in another version; the first time fills the caches of the servers."""
    seconds = 0.0
    for first in (True, False):
        version = _change_click(who.source / "requirements.txt")
        who.new_edition()
        seconds = who.release().seconds
        _expect_click(who, version)
        if not first or who.name in _have_both:
            break
    _have_both.add(who.name)
    return {"seconds": seconds}


_have_both: set[str] = set()


def measure_sixty(who: Contender) -> Values:
    """The same with 60 packages; they are gone again with the next release."""
    file = who.source / "requirements.txt"
    own = file.read_bytes()
    try:
        file.write_text(_commented(SIXTY.read_text()))
        who.new_edition()
        cold = who.release().seconds
        version = _change_click(file)
        who.new_edition()
        who.rest()
        seconds = who.release().seconds
        _expect_click(who, version)
        many = who.hosts.on(
            who.web[0],
            f"ls -d {who.root}/current/.venv/lib/python3*/site-packages/*.dist-info | wc -l",
        )
        expect(int(many) >= 60, f"{who.name}: there should be 60 packages, there are {many}")
    finally:
        file.write_bytes(own)
        who.new_edition()
        who.release()
    return {"seconds": seconds, "all of them new": cold}


def measure_rollback(who: Contender) -> Values:
    """Back to the release before; then forward again, which is not measured."""
    new, heading = who.released(), who.heading
    seconds = who.rollback().seconds
    old = who.released()
    expect(old != new, f"{who.name}: {new} still serves")
    _expect_served(who, heading="")
    who.rollback()
    expect(who.released() == new, f"{who.name}: {new} should serve again")
    _expect_served(who, heading=heading)
    if isinstance(who, Slipway):
        who.hold_no_release()
    return {"seconds": seconds}


def measure_visitors(who: Contender) -> Values:
    """What visitors of one server see while a release comes."""
    who.new_edition()
    with Visitors(who.url(who.web[0]), connections=8, pause=0.02) as visitors:
        time.sleep(0.5)
        who.release()
        time.sleep(0.5)
    _expect_served(who)
    expect(who.released() in visitors.seen, f"{who.name}: no visitor has seen the new release")
    return {"failed": visitors.failed, "worst": visitors.worst * 1000}


def measure_memory(who: Contender) -> Values:
    who.new_edition()
    with Watched(who.site) as watched:
        who.release()
    _expect_served(who)
    return {"peak": watched.peak_megabytes}


def measure_growth(who: Contender) -> Values:
    """Releases of an application that has grown; it is small again afterwards."""
    values: Values = {}
    grown = who.source / "static" / "grown"
    try:
        for megabytes in MEGABYTES:
            _write(grown / "data", megabytes)
            values[f"{megabytes} MB"] = _release_grown(who)
        (grown / "data").unlink()
        for number in range(FILES):
            (grown / f"{number % 100:02}").mkdir(exist_ok=True)
            (grown / f"{number % 100:02}" / f"{number}.txt").write_text(f"{number}\n" * 20)
        values["10,000 files"] = _release_grown(who)
    finally:
        if grown.exists():
            _remove(grown)
        who.new_edition()
        who.release()
    return values


def measure_past(who: Contender) -> Values:
    """A code-only release with few and with many releases to go back to."""
    expect(isinstance(who, Slipway), "whose state has a history")
    assert isinstance(who, Slipway)
    values: Values = {}
    kept = who.kept
    try:
        for number in PAST:
            who.keep(number)
            who.everything()
            known = len(who.hosts.on(who.web[0], f"ls {who.root}/releases").split())
            # Ids as they are made of contents, and none of them here from the round before.
            who.have_had([os.urandom(6).hex() for _ in range(number - known)])
            # Takes away what is too many from before, which is not what is to be measured.
            who.new_edition()
            who.release()
            who.new_edition()
            values[f"after {number}"] = who.release().seconds
            _expect_served(who)
            there = len(who.hosts.on(who.web[0], f"ls {who.root}/releases").split())
            expect(there == number, f"{there} releases are kept, not {number}")
    finally:
        who.keep(kept)
        who.everything()
    return values


def _release_grown(who: Contender) -> float:
    who.new_edition()
    who.rest()
    seconds = who.release().seconds
    _expect_served(who)
    here = sum(each.stat().st_size for each in _files(who.source / "static" / "grown"))
    there = who.hosts.on(
        who.web[0],
        f"find {who.root}/current/static/grown -type f -printf '%s\\n'"
        " | awk '{ all += $1 } END { print all }'",
    )
    expect(int(there) == here, f"{who.name}: {there} of {here} bytes have arrived")
    return seconds


def _write(file: Path, megabytes: int) -> None:
    """Random bytes: no packer makes them smaller."""
    file.parent.mkdir(exist_ok=True)
    with file.open("wb") as written:
        for _ in range(megabytes):
            written.write(os.urandom(1_000_000))


def _files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


def _remove(folder: Path) -> None:
    for each in sorted(folder.rglob("*"), reverse=True):
        each.rmdir() if each.is_dir() else each.unlink()
    folder.rmdir()


# What was done


def _expect_served(who: Contender, heading: str | None = None) -> None:
    """On each server: the page with the users, the edition and the release; and its folder."""
    release = who.released()
    wanted = [*USERS, who.heading if heading is None else heading, f"<code>{release}</code>"]
    for host in who.web:
        page = httpx.get(who.url(host), timeout=10)
        expect(page.status_code == httpx.codes.OK, f"{who.name}: {host.name} answers {page}")
        missing = [text for text in wanted if text not in page.text]
        expect(not missing, f"{who.name}: the page of {host.name} lacks {', '.join(missing)}")
    look = f"readlink {who.root}/current; ls -d {who.root}/releases/*/ | wc -l"
    for host, said in zip(who.web, who.hosts.on_all(who.web, look), strict=True):
        current, kept = said.split()
        expect(Path(current).name == release, f"{who.name}: {host.name} is at {current}")
        expect(int(kept) <= who.kept + 1, f"{who.name}: {host.name} keeps {kept} releases")


def expect_served(who: Contender) -> None:
    _expect_served(who)


def _traces(who: Contender) -> list[str]:
    """What a change would leave on the servers."""
    looks = (
        f"stat -c '%Y %i' {who.nginx_site}",
        f"readlink {who.root}/current",
        f"ls -i {who.root}/releases {who.root}/venvs",
        "systemctl show --value -p MainPID nginx",
        f"pgrep -o -u {who.user} -f gunicorn",
    )
    return who.hosts.on_all(who.web, "; ".join(looks))


def _change_click(file: Path) -> str:
    """Pin the other one of two versions; returns which. No kept environment fits any more."""
    text = file.read_text()
    found = re.search(r"(?m)^click==(\S+)", text)
    have = found[1] if found else ""
    version = next(each for each in CLICK if each != have)
    hashes = " \\\n".join(f"    --hash=sha256:{digest}" for digest in CLICK[version])
    pinned = f"click=={version} \\\n{hashes}\n"
    file.write_text(
        _commented(re.sub(r"(?m)^click==[^\n]*\n(    --hash[^\n]*\n)+", lambda _: pinned, text))
    )
    return version


def _commented(text: str) -> str:
    return f"# {time.time_ns()}\n" + re.sub(r"\A# \d+\n", "", text)


def _expect_click(who: Contender, version: str) -> None:
    _expect_served(who)
    program = "import importlib.metadata as m; print(m.version('click'))"
    command = f'{who.root}/current/.venv/bin/python -c "{program}"'
    for said in who.hosts.on_all(who.web, command):
        expect(said == version, f"{who.name}: click {version} should be there, it is {said}")


# In the order of one round.
PEER_CASES = (
    PeerCase(name="nothing", does="everything is as it should be", run=measure_nothing),
    PeerCase(name="nginx", does="one line of nginx's configuration", run=measure_nginx),
    PeerCase(name="code", does="a code-only release", run=measure_code),
    PeerCase(
        name="requirements",
        does="a release with one changed requirement of 10, warm caches",
        run=measure_requirements,
    ),
    PeerCase(name="rollback", does="back to the release before", run=measure_rollback),
    PeerCase(
        name="visitors",
        does="8 visitors of one server during a code-only release",
        figures=(
            Figure(name="failed", unit="", goal=None),
            Figure(name="worst", unit="ms", goal=None),
        ),
        run=measure_visitors,
    ),
    PeerCase(
        name="memory",
        does="memory of the tool and all it starts, a code-only release",
        figures=(Figure(name="peak", unit="MB", goal=None),),
        run=measure_memory,
        most_runs=2,
        quick=False,
    ),
    PeerCase(
        name="sixty",
        does="a release with one changed requirement of 60, warm caches",
        figures=(*SECONDS, Figure(name="all of them new", unit="s", goal=None)),
        run=measure_sixty,
        quick=False,
        most_runs=3,
        sizes=(1,),
    ),
    PeerCase(
        name="growth",
        does="a code-only release of an application that has grown",
        figures=tuple(
            Figure(name=name, unit="s", goal=None)
            for name in (*(f"{each} MB" for each in MEGABYTES), "10,000 files")
        ),
        run=measure_growth,
        quick=False,
        most_runs=2,
        sizes=(1,),
    ),
    PeerCase(
        name="past",
        does="a code-only release with so many releases kept",
        figures=tuple(Figure(name=f"after {each}", unit="s", goal=None) for each in PAST),
        run=measure_past,
        quick=False,
        most_runs=3,
        sizes=(1,),
        who=("slipway",),
    ),
)
