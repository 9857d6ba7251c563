"""The contenders beside each other: on the same servers, in turns, each time another one first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from bench import machine, results
from bench.comparison import Compared, rotated
from bench.contenders import Contender, Peer, contenders
from bench.hosts import Hosts
from bench.peer_cases import PEER_CASES, SECONDS, PeerCase, expect_served
from bench.results import Figure
from bench.site import BenchError, Site
from bench.work import Values

BARE = "bare"
BARE_DOES = "bare servers, until the page answers"
MOST_BARE_RUNS = 3
NAMES = (*(case.name for case in PEER_CASES), BARE)
Say = Callable[[str], None]
_stacks = count(1)


@dataclass
class SideBySide:
    """One run: which cases, for whom, on how many servers, how often."""

    site: Site
    cases: Sequence[str]
    names: Sequence[str]
    """Of the contenders."""
    runs: int
    say: Say
    failures: list[str] = field(default_factory=list)
    """Who did not do its work, in one line each."""
    _samples: dict[tuple[str, str, int], list[Values]] = field(default_factory=dict)

    def measure(self, sizes: Sequence[int]) -> list[Compared]:
        """All cases, for one number of servers after the other."""
        started, commit = machine.now(), machine.commit()
        hosts = Hosts(self.site, self.site.folder.parent / "hosts")
        hosts.start()
        steady = [case for case in PEER_CASES if case.name in self.cases]
        if steady:
            self._on_the_same_servers(hosts, steady, sorted(sizes))
        if BARE in self.cases:
            for size in sorted(sizes):
                for turn in range(min(self.runs, MOST_BARE_RUNS)):
                    self._on_bare_servers(hosts, size, turn)
        figures = {case.name: (case.does, case.figures) for case in PEER_CASES}
        figures[BARE] = (BARE_DOES, SECONDS)
        return [
            _compared(name, size, figure, values, (who, figures[name][0], started, commit))
            for (name, who, size), values in self._samples.items()
            for figure in figures[name][1]
        ]

    def _on_the_same_servers(
        self, hosts: Hosts, cases: Sequence[PeerCase], sizes: Sequence[int]
    ) -> None:
        """More and more of them, on which every contender has an application of its own."""
        everybody: list[Contender] = []
        for size in sizes:
            self.say(f"{size} web servers, with everybody's application")
            names = [f"web-{number}" for number in range(1, size + 1)]
            *web, db, db_of_peers = hosts.order([*names, "db", "db-of-peers"])
            if not everybody:
                dbs = {name: db if name == "slipway" else db_of_peers for name in self.names}
                everybody = contenders(self.names, self.site, hosts, "bench", web, dbs)
            for who in everybody:
                who.take(web)
                self._try(f"{who.name} on {size}", partial(_prepare, who))
            for number in range(1, self.runs + 1):
                for at, case in enumerate(cases):
                    if number <= case.most_runs and (case.sizes is None or size in case.sizes):
                        self._turn(case, everybody, size, number, at)

    def _turn(
        self, case: PeerCase, everybody: Sequence[Contender], size: int, number: int, at: int
    ) -> None:
        by_name = {who.name: who for who in everybody if who.name in case.who}
        for name in rotated(list(by_name), number - 1 + at):
            who = by_name[name]

            def once(who: Contender = who) -> None:
                who.rest()
                values = case.run(who)
                self._keep(case.name, who.name, size, values, f"round {number} of {self.runs}")

            self._try(f"{case.name}, {name} on {size}", once)

    def _on_bare_servers(self, hosts: Hosts, size: int, turn: int) -> None:
        """Each contender gets servers that nobody has ever touched."""
        for name in rotated(self.names, turn):
            number = next(_stacks)
            servers = [f"bare-{number}-web-{each}" for each in range(1, size + 1)]
            servers.append(f"bare-{number}-db")
            try:
                *web, db = hosts.order(servers)
                stack = f"bare{number}"
                who = contenders([name], self.site, hosts, stack, web, {name: db})[0]

                def once(who: Contender = who) -> None:
                    seconds = who.everything().seconds
                    expect_served(who)
                    which = f"run {turn + 1}"
                    self._keep(BARE, who.name, size, {"seconds": seconds}, which)

                self._try(f"{BARE}, {name} on {size}", once)
                who.rest()
            finally:
                hosts.destroy([each for each in servers if each in hosts.by_name])

    def _keep(self, case: str, who: str, size: int, values: Values, which: str) -> None:
        self._samples.setdefault((case, who, size), []).append(values)
        said = ", ".join(f"{name} {results.shown(value, '')}" for name, value in values.items())
        self.say(f"{which}: {case} on {size}: {who}: {said}")

    def _try(self, what: str, act: Callable[[], None]) -> None:
        """One that fails has no figure; the others go on."""
        try:
            act()
        except BenchError as error:
            self.failures.append(f"{what}: {error}")
            self.say(f"FAILED: {what}: {error}")


def _prepare(who: Contender) -> None:
    """Everything of a contender on its servers, and one release to go back from; not measured."""
    who.everything()
    # A fresh Debian looks for updates some time after its boot, and whoever asks apt waits for it.
    who.hosts.on_all([*who.web, who.db], "systemctl stop 'apt-daily*' unattended-upgrades || :")
    if isinstance(who, Peer):
        # One database for all peers, each with workers on every server.
        who.hosts.on(
            who.db,
            "sudo -iu postgres psql -c 'ALTER SYSTEM SET max_connections = 500'"
            " && systemctl restart postgresql",
        )
    expect_served(who)
    who.new_edition()
    who.release()
    expect_served(who)


def _compared(
    case: str, size: int, figure: Figure, values: Sequence[Values], more: tuple[str, str, str, str]
) -> Compared:
    who, does, started, commit = more
    return Compared(
        case=case,
        does=does,
        figure=figure.name,
        unit=figure.unit,
        contender=who,
        hosts=size,
        samples=tuple(each[figure.name] for each in values),
        measured_at=started,
        commit=commit,
    )
