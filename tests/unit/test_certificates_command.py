"""scripts/certificates, with servers that answer what a test wants."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.script_project import Project, new_project
from tests.unit.test_https_findings import last, site

AWAY = "echo No route to host >&2; exit 255"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = new_project(tmp_path)
    project.answers({"certificates": {"shop": {"latest": ""}}})
    return project


def says(**states: Any) -> str:
    """A server that answers so to `certctl status`, and does what else it is told."""
    answer = json.dumps({"shop": site(), **states})
    return f"cat <<'END'\n{answer}\nEND\n"


def test_what_each_server_has_is_a_row(project: Project) -> None:
    project.servers({"db": "exit 1", "web": says(), "web-2": says(blog=site(0.5))})
    done = project.python("certificates", "local")
    assert (done.returncode, done.stderr) == (0, "")
    heading, *rows = done.stdout.splitlines()
    assert heading.split()[0] == "site"
    # Each further name of a site has a line of its own.
    found = [row.split() for row in rows if "Let's Encrypt" in row]
    assert [(row[0], row[4]) for row in found] == [
        ("blog", "web-2"),
        ("shop", "web"),
        ("shop", "web-2"),
    ]
    assert "\x1b" not in done.stdout, "colours are for terminals"
    assert "deploy@db" not in project.ran


def test_programs_get_everything_as_json(project: Project) -> None:
    project.servers({"web": says(shop=site(last=last("failed", "busy")))})
    done = project.python("certificates", "local", "--json")
    assert json.loads(done.stdout)["web"]["shop"]["last"]["reason"] == "busy"


def test_a_server_out_of_reach_is_named_and_the_others_are_shown(project: Project) -> None:
    project.servers({"web": AWAY, "web-2": says()})
    done = project.python("certificates", "local")
    assert done.returncode == 0
    assert "web cannot be reached: No route to host" in done.stderr
    assert "web-2" in done.stdout


def test_one_site_alone_is_asked_for_by_name(project: Project) -> None:
    project.servers({"web": says()})
    assert project.python("certificates", "local", "--site", "shop").returncode == 0
    assert "sudo certctl --site shop status --leads" in project.ran


def test_the_first_server_orders_and_the_others_take_it_from_there(project: Project) -> None:
    project.servers({"web": says(), "web-2": says()})
    done = project.python("certificates", "local", "renew", "--site", "shop")
    assert done.returncode == 0, done.stderr
    asked = [line for line in project.ran.splitlines() if "keep" in line]
    assert asked == [
        "deploy@web sudo certctl --site shop keep --hurry --force",
        "deploy@web-2 sudo certctl --site shop keep --hurry",
    ]


def test_where_the_first_is_away_the_next_one_orders(project: Project) -> None:
    project.servers({"web": AWAY, "web-2": says()})
    done = project.python("certificates", "local", "renew")
    assert done.returncode == 0
    assert "deploy@web-2 sudo certctl keep --hurry --force" in project.ran


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("echo ordering >&2; echo shop: busy >&2; exit 1", "slipway: shop: busy\n"),
        (
            "echo shop: no certificate is ordered, for it leads away >&2",
            "slipway: shop: no certificate is ordered, for it leads away\n",
        ),
        ("exit 137", "slipway: web: certctl ends with 137\n"),
        (AWAY, "slipway: no web server of local can be reached\n"),
    ],
)
def test_what_could_not_be_ordered_is_said(project: Project, answer: str, said: str) -> None:
    project.servers({"web": answer})
    done = project.python("certificates", "local", "renew")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(said)
    assert "Traceback" not in done.stderr


def test_a_server_whose_certctl_fails_is_an_error(project: Project) -> None:
    project.servers({"web": "echo certctl: shop has no certificate here >&2; exit 1"})
    done = project.python("certificates", "local", "--site", "shop")
    assert (done.returncode, done.stderr) == (1, "slipway: certctl: shop has no certificate here\n")


def test_an_environment_without_certificates_is_told_how_to_get_them(project: Project) -> None:
    project.answers({"certificates": {}})
    done = project.python("certificates", "local")
    assert done.returncode == 1
    assert "local has no certificates: they come with slipway:serverNames" in done.stderr
    project.answers({"certificates": {}, "https": {"site": {"names": ["a.example"]}}})
    done = project.python("certificates", "local", "renew")
    assert done.returncode == 1
    assert "HTTPS ends at the load balancer, whose certificate DigitalOcean renews" in done.stderr


def test_wrong_words_are_refused(project: Project) -> None:
    done = project.python("certificates", "local", "renwe")
    assert done.returncode != 0
    assert "unknown argument 'renwe'" in done.stderr
