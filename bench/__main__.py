"""`bench/run`: measure the cases in turns, print the table, write the files."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from bench import comparison, contenders, machine, peer_environment, report, results, side_by_side
from bench.cases import CASES, Case
from bench.clone import own_site
from bench.profile import profile
from bench.results import Result
from bench.site import ROOT, BenchError, Site
from bench.work import Values

RESULTS = ROOT / "bench" / "results.json"
DOCUMENT = ROOT / "docs" / "performance.md"
QUICK_RUNS = 2
# Processes that want to run, in the mean of the last minute, before we have even begun.
BUSY = 0.5
NAMES = [case.name for case in CASES]
ALL_NAMES = [*NAMES, *(name for name in side_by_side.NAMES if name not in NAMES)]
SIZES, QUICK_SIZES = (1, 8), (1,)
# What there is time for in less than 8 minutes: of Slipway alone (once), and then beside its peers.
QUICK_ALONE = ("warm", "rollback", "down")
QUICK_BESIDE = ("nothing", "code", "requirements", "visitors")


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


@click.command(help="See bench/run --help.")
@click.argument("names", metavar="[case]...", nargs=-1, type=click.Choice(ALL_NAMES))
@click.option("--runs", type=click.IntRange(1, 100))
@click.option("--quick", is_flag=True)
@click.option("--profile", "profiled", is_flag=True)
@click.option("--peers", "beside", is_flag=True)
@click.option("--hosts", "sizes", type=click.IntRange(1, 16), multiple=True)
@click.option("--with", "who", type=click.Choice(contenders.NAMES), multiple=True)
def main(
    names: Sequence[str],
    runs: int | None,
    quick: bool,
    profiled: bool,
    beside: bool,
    sizes: Sequence[int],
    who: Sequence[str],
) -> None:
    if os.geteuid() != 0:
        raise click.ClickException("the local cloud boots real hosts, which needs root")
    if profiled and beside:
        raise click.UsageError("--profile is of Slipway alone: leave --peers away")
    if (sizes or who) and not beside:
        raise click.UsageError("--hosts and --with go with --peers")
    known = side_by_side.NAMES if beside else NAMES
    for name in names:
        if name not in known:
            raise click.UsageError(f"no case '{name}' here: must be one of {', '.join(known)}")
    signal.signal(signal.SIGTERM, _interrupted)
    runs = runs or (QUICK_RUNS if quick else 5)
    both = quick and not (names or beside or profiled)
    try:
        if profiled:
            with own_site(say) as site:
                profile(site, names or NAMES, say)
            return
        if not beside:
            cases = _alone(QUICK_ALONE if both else names, runs)
            measure(cases, 1 if both else runs, write=not quick)
        if beside or both:
            compare(
                names or (QUICK_BESIDE if quick else side_by_side.NAMES),
                runs,
                sizes or (QUICK_SIZES if quick else SIZES),
                who or contenders.NAMES,
                write=not quick,
            )
    except BenchError as error:
        raise click.ClickException(str(error)) from None


def _alone(names: Sequence[str], runs: int) -> list[Case]:
    return [
        case
        for case in CASES
        if case.name in names
        # In a few minutes there is no time for many servers.
        or not (names or case.only_when_named or case.most_runs < min(runs, QUICK_RUNS + 1))
    ]


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def measure(cases: Sequence[Case], runs: int, *, write: bool) -> None:
    """Round by round, so that a busy minute of the machine does not fall on one case alone."""
    started, commit, load = machine.now(), machine.commit(), os.getloadavg()[0]
    if load > BUSY:
        say(f"this machine is busy (load {load:.1f}): times will be longer than they need be")
    samples: dict[str, list[Values]] = {case.name: [] for case in cases}
    described: dict[str, Any] = {}

    def run(case: Case, site: Site, which: str) -> None:
        values = case.run(site)
        samples[case.name].append(values)
        said = [
            f"{figure.name} {results.shown(values[figure.name], figure.unit)}"
            for figure in case.figures
        ]
        say(f"{which}: {case.name}: {', '.join(said)}")
        described.update(described or {**machine.describe(site), "load_before": load})

    for case in (case for case in cases if case.only_when_named):
        with own_site(say, from_nothing=True) as site:
            run(case, site, "once")
    others = [case for case in cases if not case.only_when_named]
    if others:
        with own_site(say) as site:
            for number in range(1, runs + 1):
                for case in others:
                    if number <= case.most_runs:
                        run(case, site, f"round {number} of {runs}")

    measured = [
        Result(
            case=case.name,
            does=case.does,
            figure=figure,
            samples=tuple(values[figure.name] for values in samples[case.name]),
            measured_at=started,
            commit=commit,
        )
        for case in cases
        for figure in case.figures
    ]
    print(results.table(measured))
    if write:
        keep(described, measured)


def compare(
    cases: Sequence[str], runs: int, sizes: Sequence[int], who: Sequence[str], *, write: bool
) -> None:
    """The contenders in turns on the same servers; raises BenchError when one failed."""
    load = os.getloadavg()[0]
    peer_environment.install(say)
    with own_site(say) as site:
        run = side_by_side.SideBySide(site, cases, who, runs, say)
        measured = report.ordered(run.measure(sizes))
        described = {
            **machine.describe(site),
            "load_before": load,
            "versions": peer_environment.versions(),
        }
    print(comparison.table(measured, [name for name in contenders.NAMES if name in who]))
    if write and measured:
        files = report.keep(described, measured)
        say(f"written: {', '.join(str(file.relative_to(ROOT)) for file in files)}")
    if run.failures:
        raise BenchError("not everybody did its work:\n" + "\n".join(run.failures))


def keep(described: dict[str, Any], measured: Sequence[Result]) -> None:
    """Write `bench/results.json`, and its table into `docs/performance.md`."""
    earlier = json.loads(RESULTS.read_text()) if RESULTS.exists() else None
    everything = results.in_order(results.merged(earlier, described, measured), NAMES)
    document = {**(earlier or {}), **results.document(described, everything)}
    RESULTS.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    DOCUMENT.write_text(results.with_results(DOCUMENT.read_text(), described, everything))
    say(f"written: {RESULTS.relative_to(ROOT)}, {DOCUMENT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
