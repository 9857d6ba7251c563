"""What is measured. Each case brings the site to where it begins, measures, and checks the work."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from bench.many_servers import measure_eight, measure_fleet
from bench.results import Figure
from bench.site import SITE, BenchError, Site
from bench.work import Values, expect, expect_new_release, settle
from tests.visitors import Visitors

# Two versions of a package that the sample application has, with their hashes as the registry
# gives them: what changes from one `requirements` run to the next.
CLICK = {
    "8.1.8": (
        "63c132bbbed01578a06712a2d1f497bb62d9c1c0d329b7903a866228027263b2",
        "ed53c9d8990d83c2a27deae68e4ee337473f6330c040a31d4225c9574d16096a",
    ),
    "8.5.1": (
        "8bb5376d2006950386f8c6427613334a2acadc5f559cb80e638d00b4df957e37",
        "9bbfada76703fd1d784b83eea012e3e8c6a001a876543ef104fa56aaaeb072b4",
    ),
}
SECONDS_FOR_A_PAGE = 60.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """A name to ask for, a line that says what it is, its figures, and how one run goes."""

    name: str
    does: str
    figures: tuple[Figure, ...]
    run: Callable[[Site], Values]
    only_when_named: bool = False
    most_runs: int = 100
    """How often at most it is measured, however many runs are asked for."""


def seconds(goal: float) -> tuple[Figure, ...]:
    return (Figure(name="seconds", unit="s", goal=goal),)


def measure_warm(site: Site) -> Values:
    """A fresh clone, up to the page: only the caches and the virtual environment are there."""
    if site.is_up:
        site.down()
    shutil.rmtree(site.folder / ".slipway", ignore_errors=True)
    return _until_the_page(site)


def measure_cold(site: Site) -> Values:
    if (site.folder / ".slipway").exists():
        raise BenchError("the copy of the project is not a fresh one")
    return _until_the_page(site)


def _until_the_page(site: Site) -> Values:
    began = time.perf_counter()
    site.up()
    deadline = began + SECONDS_FOR_A_PAGE + time.perf_counter() - began
    while True:
        try:
            site.page()
            return {"seconds": time.perf_counter() - began}
        except BenchError:
            if time.perf_counter() > deadline:
                raise
            time.sleep(0.05)


def measure_nothing(site: Site) -> Values:
    settle(site)
    ran = site.up()
    summary = ran.output.partition("Resources:")[2].split("Duration")[0]
    expect(
        re.fullmatch(r"\s*\d+ unchanged\s*", summary) is not None,
        f"an update without a change did something:\n{ran.output[-1000:]}",
    )
    return {"seconds": ran.seconds}


def measure_code(site: Site) -> Values:
    settle(site)
    before = site.outputs()["release"]["id"]
    heading = site.new_edition()
    ran = site.up()
    expect_new_release(site, before, heading)
    return {"seconds": ran.seconds}


def measure_visitors(site: Site) -> Values:
    """A code-only release under load: what its visitors see of it."""
    settle(site)
    before = site.outputs()["release"]["id"]
    heading = site.new_edition()
    with Visitors(SITE, connections=4, pause=0.02) as visitors:
        site.up()
        time.sleep(0.5)
    expect_new_release(site, before, heading)
    expect(len(visitors.good) > 20, "the visitors hardly came through")
    return {
        "failed": visitors.failed,
        "requests": len(visitors.answers),
        "worst": visitors.worst * 1000,
    }


def measure_rollback(site: Site) -> Values:
    """Back to the release before; then forward again, which is not measured."""
    settle(site)
    if not site.outputs()["previous_release"]:
        site.new_edition()
        site.up()
    known = site.outputs()
    new, old = known["release"]["id"], known["previous_release"]
    ran = site.run("scripts/rollback local")
    expect(site.released(site.page()) == old, f"after the rollback {old} should serve")
    expect(site.outputs()["release"]["id"] == old, "the outputs do not say so")
    site.run(f"scripts/rollback local {new}")
    expect(site.released(site.page()) == new, f"going forward again, {new} should serve")
    return {"seconds": ran.seconds}


_changes = count(1)


def measure_requirements(site: Site) -> Values:
    """One package in another version, which the cache of the hosts has had before."""
    settle(site)
    have = _installed_click(site)
    other = next(version for version in CLICK if version != have)
    _require_click(site, other)
    # The first time fetches the package: one round trip fills the cache.
    if next(_changes) == 1:
        site.up()
        _require_click(site, have)
        site.up()
        _require_click(site, other)
    ran = site.up()
    expect(_installed_click(site) == other, f"click {other} should be installed")
    site.page()
    return {"seconds": ran.seconds}


def _require_click(site: Site, version: str) -> None:
    """Also a comment that is new each time, so that no kept virtual environment fits."""
    hashes = " \\\\\n".join(f"    --hash=sha256:{digest}" for digest in CLICK[version])
    path = "app/requirements.txt"
    site.edit(path, r"click==[^\n]*\n(    --hash[^\n]*\n)+", f"click=={version} \\\\\n{hashes}\n")
    site.edit(path, r"\A(# change .*\n)?", f"# change {next(_changes)}\n")


def _installed_click(site: Site) -> str:
    program = "import importlib.metadata as m; print(m.version('click'))"
    return site.on("web", f'/srv/site/current/.venv/bin/python -c "{program}"')


def measure_down(site: Site) -> Values:
    if not site.is_up:
        site.up()
    expect(bool(site.traces()), "nothing of the environment was found while it was up")
    ran = site.down()
    left = site.traces()
    expect(not left, "left behind: " + "; ".join(left))
    return {"seconds": ran.seconds}


# In the order of one round.
CASES = (
    Case(
        name="cold",
        does="everything from nothing: virtual environment, engine, image, packages",
        figures=seconds(600),
        run=measure_cold,
        only_when_named=True,
    ),
    Case(
        name="warm",
        does="a fresh clone with warm caches, until the page answers",
        figures=seconds(60),
        run=measure_warm,
    ),
    Case(
        name="nothing",
        does="`scripts/up local` with nothing to change",
        figures=seconds(3),
        run=measure_nothing,
    ),
    Case(
        name="code",
        does="a code-only release by `scripts/up local`",
        figures=seconds(3),
        run=measure_code,
    ),
    Case(
        name="visitors",
        does="a code-only release, as 4 visitors see it",
        figures=(
            Figure(name="failed", unit="", goal=0),
            Figure(name="requests", unit="", goal=None),
            Figure(name="worst", unit="ms", goal=None),
        ),
        run=measure_visitors,
    ),
    Case(
        name="rollback",
        does="`scripts/rollback local`",
        figures=seconds(2.5),
        run=measure_rollback,
    ),
    Case(
        name="requirements",
        does="a release with one changed requirement, warm caches",
        figures=seconds(5),
        run=measure_requirements,
    ),
    Case(
        name="eight",
        does="the same on 1 and on 8 servers, `scripts/up local`",
        figures=(
            Figure(name="nothing on 1", unit="s", goal=None),
            Figure(name="nothing on 8", unit="s", goal=None),
            Figure(name="nothing, 8 to 1", unit="", goal=1.5),
            Figure(name="code on 1", unit="s", goal=None),
            Figure(name="code on 1, of processors", unit="s", goal=None),
            Figure(name="code on 1, of processors by servers", unit="s", goal=None),
            Figure(name="code on 8", unit="s", goal=None),
            Figure(name="code on 8, of processors", unit="s", goal=None),
            Figure(name="code on 8, of processors by servers", unit="s", goal=None),
            Figure(name="code, 8 to 1", unit="", goal=2),
        ),
        run=measure_eight,
        most_runs=3,
    ),
    Case(
        name="fleet",
        does="20 releases over 4 servers under 64 connections",
        figures=(
            Figure(name="failed", unit="", goal=0),
            Figure(name="requests", unit="", goal=None),
            Figure(name="worst at a switch", unit="ms", goal=None),
            Figure(name="worst at other times", unit="ms", goal=None),
            Figure(name="worst, a switch to other times", unit="", goal=2),
            Figure(name="rollback", unit="s", goal=None),
        ),
        run=measure_fleet,
        most_runs=1,
    ),
    Case(
        name="down",
        does="`scripts/down local`",
        figures=seconds(5),
        run=measure_down,
    ),
)
