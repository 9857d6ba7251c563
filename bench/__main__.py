"""`bench/run`: measure the cases in turns, print the table, write the files."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from bench import machine, results
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


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


@click.command(help="See bench/run --help.")
@click.argument("names", metavar="[case]...", nargs=-1, type=click.Choice(NAMES))
@click.option("--runs", type=click.IntRange(1, 100), default=5)
@click.option("--quick", is_flag=True)
@click.option("--profile", "profiled", is_flag=True)
def main(names: Sequence[str], runs: int, quick: bool, profiled: bool) -> None:
    if os.geteuid() != 0:
        raise click.ClickException("the local cloud boots real hosts, which needs root")
    cases = [
        case
        for case in CASES
        if case.name in names
        # In a few minutes there is no time for many servers.
        or not (names or case.only_when_named or (quick and case.most_runs < runs))
    ]
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        if profiled:
            with own_site(say) as site:
                profile(site, [case.name for case in cases], say)
        else:
            measure(cases, QUICK_RUNS if quick else runs, write=not quick)
    except BenchError as error:
        raise click.ClickException(str(error)) from None


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


def keep(described: dict[str, Any], measured: Sequence[Result]) -> None:
    """Write `bench/results.json`, and its table into `docs/performance.md`."""
    earlier = json.loads(RESULTS.read_text()) if RESULTS.exists() else None
    everything = results.in_order(results.merged(earlier, described, measured), NAMES)
    document = results.document(described, everything)
    RESULTS.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    DOCUMENT.write_text(results.with_results(DOCUMENT.read_text(), described, everything))
    say(f"written: {RESULTS.relative_to(ROOT)}, {DOCUMENT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
