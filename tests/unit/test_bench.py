"""The pure parts of the bench: figures, their file and table, and the names of processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import results
from bench.cases import CASES, CLICK
from bench.many_servers import split_at_switches
from bench.processors import Processors, processor_seconds
from bench.profile import shortened
from bench.results import Figure, Result
from bench.site import ROOT
from tests.visitors import Answer

MACHINE = {
    "cores": 2,
    "memory_mb": 4096,
    "processor": "a processor",
    "kernel": "6.1",
    "system": "Debian 12",
    "python": "3.11.2",
    "pulumi": "v3.259.0",
    "plugins": "official",
    "load_before": 0.25,
}


def result(case: str, *samples: float, goal: float | None = 3, unit: str = "s") -> Result:
    return Result(
        case=case,
        does=f"what {case} does",
        figure=Figure(name="seconds", unit=unit, goal=goal),
        samples=samples,
        measured_at="2026-11-20T17:00:00Z",
        commit="0123456789",
    )


# Figures


def test_a_goal_is_met_by_the_median_not_by_the_luckiest_run() -> None:
    assert result("nothing", 2.0, 2.9, 9.0).met is True
    assert result("nothing", 2.0, 3.1, 3.2).met is False
    assert result("nothing", 3.0).met is True, "at most is enough"


def test_a_figure_without_a_goal_neither_meets_nor_misses_it() -> None:
    assert result("requirements", 99.0, goal=None).met is None


def test_the_file_holds_all_samples_and_gives_them_back() -> None:
    measured = [result("nothing", 2.0, 2.5), result("code", 4.5)]
    document = json.loads(json.dumps(results.document(MACHINE, measured)))
    assert document["results"][0]["samples"] == [2.0, 2.5]
    assert document["results"][0]["median"] == 2.25
    assert document["results"][1]["met"] is False
    assert [Result.from_dict(entry) for entry in document["results"]] == measured


def test_a_case_that_was_not_measured_keeps_its_old_figure() -> None:
    earlier = results.document(MACHINE, [result("nothing", 2.0), result("code", 4.0)])
    kept = results.merged(earlier, MACHINE, [result("code", 3.0)])
    assert {each.case: each.samples for each in kept} == {"code": (3.0,), "nothing": (2.0,)}


@pytest.mark.parametrize("key", results.MACHINE)
def test_figures_of_another_machine_are_not_mixed_in(key: str) -> None:
    earlier = results.document({**MACHINE, key: "another"}, [result("nothing", 2.0)])
    kept = results.merged(earlier, MACHINE, [result("code", 3.0)])
    assert [each.case for each in kept] == ["code"]


def test_the_first_measurement_has_nothing_to_keep() -> None:
    assert results.merged(None, MACHINE, [result("code", 3.0)]) == [result("code", 3.0)]


def test_results_come_in_the_order_of_the_cases_and_forgotten_cases_go() -> None:
    measured = [result("down", 1.0), result("warm", 2.0), result("of old", 3.0)]
    ordered = results.in_order(measured, ["warm", "nothing", "down"])
    assert [each.case for each in ordered] == ["warm", "down"]


# The table


def test_the_table_has_the_goal_beside_the_figure() -> None:
    row = results.table([result("nothing", 2.0, 2.5, 3.25)]).splitlines()[-1]
    assert row == (
        "| `nothing` | what nothing does | 2.50 s | 2 to 3.25 s | 3 | at most 3 s | yes |"
    )


def test_a_missed_goal_stands_out() -> None:
    assert "| **no** |" in results.table([result("nothing", 3.5)])


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0, "", "0"), (3, "s", "3 s"), (1.004, "s", "1.00 s"), (171.4, "ms", "171 ms")],
)
def test_numbers_are_shown_as_exactly_as_they_are_known(value: float, unit: str, text: str) -> None:
    assert results.shown(value, unit) == text


def test_the_table_goes_between_its_markers_and_only_there() -> None:
    text = "before\n<!-- results -->\nold\n<!-- /results -->\nafter\n"
    new = results.with_results(text, MACHINE, [result("nothing", 2.0)])
    assert new.startswith("before\n<!-- results -->\n| case |")
    assert new.endswith("provider plugins: official; load before: 0.2.\n<!-- /results -->\nafter\n")
    assert "old" not in new
    assert results.with_results(new, MACHINE, [result("nothing", 2.0)]) == new


def test_the_document_shows_what_the_file_says() -> None:
    path = ROOT / "bench" / "results.json"
    document = json.loads(path.read_text())
    measured = [Result.from_dict(entry) for entry in document["results"]]
    text = (ROOT / "docs" / "performance.md").read_text()
    assert results.with_results(text, document["machine"], measured) == text


# The cases


def test_cases_have_names_of_their_own_and_figures() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert all(case.figures for case in CASES)


def test_the_help_names_every_case() -> None:
    said = (ROOT / "bench" / "run").read_text()
    assert [case.name for case in CASES if case.name not in said] == []


def test_the_sample_application_has_one_of_the_versions_to_change_between() -> None:
    requirements = (ROOT / "app" / "requirements.txt").read_text()
    assert any(f"click=={version} " in requirements for version in CLICK)


# Many servers


def test_answers_are_told_apart_by_whether_a_release_was_switched_to_then() -> None:
    one, two = "111111111111", "222222222222"
    said = [(10, one), (19.4, one), (20, two), (20.1, one), (22, two), (30, two), (40, one)]
    answers = [Answer(began, 0.2, release, True) for began, release in said]
    near, far = split_at_switches(answers, [one, two, one])
    assert [each.began for each in near] == [19.4, 20, 20.1, 22, 40]
    assert [each.began for each in far] == [10, 30]


# Processes


def test_a_process_is_named_by_what_it_is() -> None:
    words = ["/home/someone/.venv/bin/python3", "-m", "local_cloud", "start", "--state", "/x"]
    assert shortened(words) == "python3 -m local_cloud start"


# Processors


def test_the_time_of_the_servers_is_in_the_control_groups_of_version_2_alone(
    tmp_path: Path,
) -> None:
    for folder, content in {
        "unified/slipway-1ea7-1001": "usage_usec 1500000\nuser_usec 1000000\n",
        "cpu/slipway-1ea7-1001": "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n",
        "slipway-1ea7-1002": "usage_usec 500000\nuser_usec 400000\n",
        "unified/slipway-9fe2-1001": "usage_usec 7000000\nuser_usec 1000000\n",
    }.items():
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "cpu.stat").write_text(content)
    assert processor_seconds("slipway-1ea7-", root=tmp_path) == 2


def test_what_was_used_meanwhile_is_a_difference() -> None:
    assert Processors(5, 2).since(Processors(1.5, 0.5)) == Processors(3.5, 1.5)
