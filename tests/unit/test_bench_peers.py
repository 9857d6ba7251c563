"""The bench's peers: their lock, the turns, goals and table, and the plots."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from bench import comparison, contenders, plot, report, side_by_side
from bench.comparison import Compared
from bench.peer_cases import SIXTY, _change_click
from bench.plot import Bar, Line
from bench.site import ROOT

PEERS = ROOT / "bench" / "peers"
SVG = "{http://www.w3.org/2000/svg}"


def compared(who: str, *samples: float, case: str = "code", hosts: int = 1) -> Compared:
    return Compared(
        case=case,
        does=f"what {case} does",
        figure="seconds",
        unit="s",
        contender=who,
        hosts=hosts,
        samples=samples,
        measured_at="2026-11-20T17:00:00Z",
        commit="0123456789",
    )


# The peers


def test_every_package_of_the_peers_is_locked_with_its_hash_and_no_address() -> None:
    lock = (PEERS / "requirements.lock").read_text()
    packages = re.split(r"\n(?=\S)", lock.strip())
    assert {"ansible-core", "fabric", "pyinfra"} <= {each.split("==")[0] for each in packages}
    assert [each for each in packages if "--hash=sha256:" not in each] == []
    assert "://" not in lock


@pytest.mark.parametrize("peer", contenders.PEERS)
def test_each_peer_has_a_program_to_run(peer: str) -> None:
    assert (PEERS / peer / "run").stat().st_mode & 0o111


def test_nobody_always_comes_after_the_same_one_nor_always_first() -> None:
    turns = [comparison.rotated(contenders.NAMES, turn) for turn in range(5)]
    assert {turn[0] for turn in turns} == set(contenders.NAMES)
    assert all(sorted(turn) == sorted(contenders.NAMES) for turn in turns)
    assert comparison.rotated("abc", 4) == ["b", "c", "a"]


def test_the_help_names_every_case_of_the_comparison() -> None:
    said = (ROOT / "bench" / "run").read_text()
    assert [name for name in side_by_side.NAMES if name not in said] == []


def test_a_changed_requirement_is_another_version_with_its_own_hashes(tmp_path: object) -> None:
    file = ROOT.__class__(str(tmp_path)) / "requirements.txt"
    file.write_text((ROOT / "app" / "requirements.txt").read_text())
    first, second = _change_click(file), _change_click(file)
    assert first != second
    text = file.read_text()
    assert text.count("\nclick==") == 1
    assert f"click=={second} " in text
    assert text.count("flask==") == 1


def test_sixty_packages_hold_what_the_application_needs() -> None:
    names = re.findall(r"(?m)^([a-z0-9-]+)==", SIXTY.read_text())
    assert len(set(names)) == 60
    assert {"flask", "gunicorn", "psycopg", "psycopg-binary", "psycopg-pool", "click"} <= set(names)


# Goals


def verdict(what: comparison.What, medians: dict[str, float]) -> tuple[str, str]:
    return comparison.verdict(what, {what: medians})


@pytest.mark.parametrize(
    ("medians", "met"),
    [
        ({"slipway": 2.0, "ansible": 4.0, "pyinfra": 2.0}, "yes"),
        ({"slipway": 2.1, "ansible": 4.0, "pyinfra": 2.0}, "**no**"),
        ({"slipway": 2.0, "ansible": 5.0, "pyinfra": 1.5}, "**no**"),
    ],
)
def test_a_release_on_one_server_has_to_keep_to_both_limits(
    medians: dict[str, float], met: str
) -> None:
    assert verdict(("code", "seconds", 1), medians)[1] == met


def test_the_floor_is_no_peer() -> None:
    medians = {"slipway": 2.0, "ansible": 3.0, "pyinfra": 3.0, "fabric": 3.0, "ssh": 0.1}
    assert verdict(("rollback", "seconds", 8), medians)[1] == "yes"


def test_a_goal_is_neither_met_nor_missed_where_a_peer_was_not_measured() -> None:
    goal, met = verdict(("rollback", "seconds", 1), {"slipway": 2.0, "ssh": 1.0})
    assert goal == "less than each peer"
    assert met == ""


@pytest.mark.parametrize(("seconds", "met"), [(5.0, "yes"), (5.1, "**no**")])
def test_growth_is_held_against_its_own_on_one_server(seconds: float, met: str) -> None:
    medians = {
        ("code", "seconds", 1): {"slipway": 2.0},
        ("code", "seconds", 16): {"slipway": seconds},
    }
    assert comparison.verdict(("code", "seconds", 16), medians)[1] == met


@pytest.mark.parametrize(("seconds", "met"), [(1.15, "yes"), (1.16, "**no**")])
def test_where_nothing_changes_each_server_may_take_a_little(seconds: float, met: str) -> None:
    medians = {"slipway": seconds, "ansible": 9.0, "pyinfra": 9.0, "fabric": 9.0}
    assert verdict(("nothing", "seconds", 1), medians)[1] == met


def test_goals_are_of_cases_that_there_are() -> None:
    assert {goal.case for goal in comparison.GOALS} <= set(side_by_side.NAMES)


# Table and file


def test_the_table_has_contenders_beside_each_other_with_their_spread() -> None:
    row = comparison.table(
        [compared("slipway", 2.0, 3.0, 4.0), compared("ansible", 7.5)], ["slipway", "ansible"]
    ).splitlines()[-1]
    assert row == (
        "| `code` | 1 | what code does | 3 s (2 to 4) | 7.50 s"
        " | at most 0.5x ansible and 1.3x pyinfra |  |"
    )


def test_what_was_measured_now_takes_the_place_of_what_was_measured_before() -> None:
    before = [compared("ansible", 9.0), compared("slipway", 9.0), compared("ssh", 1.0, hosts=8)]
    kept = comparison.merged(before, [compared("slipway", 3.0)])
    assert [(each.contender, each.hosts, each.samples) for each in kept] == [
        ("slipway", 1, (3.0,)),
        ("ssh", 8, (1.0,)),
    ], "figures of two runs are never beside each other"


def test_the_file_gives_back_what_it_got() -> None:
    one = compared("slipway", 2.0, 3.0)
    assert Compared.from_dict(json.loads(json.dumps(one.to_dict()))) == one


def test_the_document_and_its_plots_show_what_the_file_says() -> None:
    kept = json.loads((ROOT / "bench" / "results.json").read_text()).get(report.KEY)
    text = (ROOT / "docs" / "performance.md").read_text()
    assert "<!-- side by side -->" in text
    if kept is None:
        assert "<!-- side by side -->\n<!-- /side by side -->" in text
        return
    everything = report.ordered([Compared.from_dict(each) for each in kept["compared"]])
    inside = report.inside(kept["machine"], everything)
    assert comparison.with_comparison(text, inside) == text
    for name, drawn in report.plots(everything).items():
        assert (report.PLOTS / name).read_text() == drawn


# Plots


def test_bars_are_as_long_as_what_they_show() -> None:
    drawn = plot.bars({"a & b": [Bar("one", 2, 1, 4, "2 s"), Bar("two", 4, 4, 4, "4 s", 1)]})
    root = ElementTree.fromstring(drawn)
    one, two = (float(each.attrib["width"]) for each in root.iter(f"{SVG}rect"))
    assert two == pytest.approx(2 * one, abs=0.2)
    said = [each.text for each in root.iter(f"{SVG}text")]
    assert said == ["a & b", "one", "2 s", "two", "4 s"]
    assert len(list(root.iter(f"{SVG}path"))) == 1, "one of them has a spread"


def test_lines_rise_where_their_values_do_and_their_names_do_not_meet() -> None:
    drawn = plot.lines(
        "title", "servers", "s", [Line("up", [(1, 1), (8, 4)]), Line("too", [(1, 1), (8, 4)], 1)]
    )
    root = ElementTree.fromstring(drawn)
    points = next(root.iter(f"{SVG}polyline")).attrib["points"].split()
    first, last = (float(each.split(",")[1]) for each in points)
    assert last < first, "up is towards 0"
    at = {each.text: float(each.attrib["y"]) for each in root.iter(f"{SVG}text")}
    assert abs(at["up"] - at["too"]) >= 14


@pytest.mark.parametrize(
    ("largest", "steps"), [(4.5, [0, 1, 2, 3, 4, 5]), (0.9, 5), (1, 6), (37, [0, 10, 20, 30, 40])]
)
def test_a_scale_has_round_steps_and_room_for_the_largest(largest: float, steps: object) -> None:
    found = plot.scale_of(largest)
    assert found[-1] >= largest
    assert 4 <= len(found) <= 11
    if isinstance(steps, list):
        assert found == steps


def test_plots_are_readable_on_light_and_on_dark() -> None:
    assert "prefers-color-scheme: dark" in plot.bars({})
