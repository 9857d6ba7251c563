"""Environments and their pipeline: made, previewed, updated and checked by the very commands of CI.

DigitalOcean is the local cloud here, which takes the same calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.clone import Clone
from tests.pipelines import Job, circleci_jobs, github_jobs

pytestmark = pytest.mark.hosts

ENVIRONMENTS = ("dev", "staging", "production")
GITHUB, CIRCLECI = github_jobs(), circleci_jobs()


@pytest.fixture
def team(site: Clone) -> Iterator[Clone]:
    """The clone with what the CI service gives a job besides the code."""
    token = (site.folder / ".slipway/local-cloud/token").read_text()
    given = {
        "DIGITALOCEAN_TOKEN": token,
        "DIGITALOCEAN_API_URL": site.place.endpoint,
        "GITHUB_OUTPUT": str(site.folder / ".slipway/output"),
        "GITHUB_STEP_SUMMARY": str(site.folder / ".slipway/summary.md"),
        # The commands as they are, but of the tests only a few: this is one of them already.
        "PYTEST_ADDOPTS": "-k 'test_history or ruff or test_release_command or test_api_pure'",
    }
    before = dict(site.environment)
    site.environment.update(given)
    yield site
    site.environment.clear()
    site.environment.update(before)


def run_job(clone: Clone, job: Job) -> str:
    said = ""
    for stack in job.stacks or ("",):
        clone.environment["STACK"] = stack
        for command in job.commands:
            done = clone.run(command, timeout=1500)
            said += done.stdout + done.stderr
    return said


def job(jobs: list[Job], name: str) -> Job:
    return next(each for each in jobs if each.name == name)


@pytest.mark.parametrize("name", ["checks", "tests"])
def test_the_checks_of_a_pull_request_run_as_they_are_written(team: Clone, name: str) -> None:
    assert job(GITHUB, name).commands == job(CIRCLECI, name).commands
    assert re.search(r"[1-9]\d* passed", run_job(team, job(GITHUB, name)))


def test_without_secrets_there_is_no_preview_and_with_them_there_is(team: Clone) -> None:
    look = job(GITHUB, "secrets")
    backend = {"PULUMI_BACKEND_URL": "file:///somewhere"}
    assert "no preview" in run_job(team, look)
    team.environment.update(backend)
    run_job(team, look)
    del team.environment["PULUMI_BACKEND_URL"]
    assert (team.folder / ".slipway/output").read_text() == "given=yes\n"


def test_a_pull_request_shows_what_each_environment_would_get(team: Clone) -> None:
    run_job(team, job(GITHUB, "preview"))
    summary = (team.folder / ".slipway/summary.md").read_text()
    assert [f"### Preview of `{each}`" in summary for each in ENVIRONMENTS] == [True] * 3
    assert summary.count("| created | server | `db` |") == 3
    assert "| created | load balancer | `balancer` |" in summary
    run_job(team, job(CIRCLECI, "preview"))
    (team.folder / "preview.md").unlink()


def test_a_push_goes_to_dev_then_staging_then_production(team: Clone) -> None:
    for name in ("staging", "production"):  # the local cloud makes no backups, and says so
        team.edit(f"Pulumi.{name}.yaml", 'backups: "true"', 'backups: "false"')
    for name in ENVIRONMENTS:
        run_job(team, job(GITHUB, name))
    production = team.pulumi("stack output --stack production --json web")
    assert re.findall(r'"name": "([^"]*)"', production) == ["production-web", "production-web-2"]


def test_the_nightly_check_finds_nothing_and_then_a_difference(team: Clone) -> None:
    drift = job(GITHUB, "drift")
    assert drift.commands == job(CIRCLECI, "drift").commands
    run_job(team, drift)
    team.environment["STACK"] = "dev"
    team.run("scripts/ssh dev web sudo tee -a /etc/nginx/sites-available/site <<<'# by hand'")
    said = team.run('scripts/status "$STACK"', fails=True).stdout
    assert "/etc/nginx/sites-available/site" in said


def test_a_protected_database_is_not_destroyed(team: Clone) -> None:
    for name in ENVIRONMENTS:
        said = team.run(f"scripts/down {name} --yes", fails=True).stderr
        assert f"the server db of {name} is protected (protectDatabase)" in said
        assert f"scripts/down {name} --yes --destroy db" in said
        team.run(f"scripts/ssh {name} db true")


def test_an_environment_goes_away_once_its_database_may(team: Clone) -> None:
    team.pulumi("config set protectDatabase false --stack staging")
    team.run("scripts/up staging")
    team.run("scripts/down staging --yes")
    for name in ("dev", "production"):
        team.run(f"scripts/down {name} --yes --destroy db")
    assert (
        "production"
        not in team.run("source scripts/activate && python3 -m local_cloud status").stdout
    )
    team.run("git checkout -q Pulumi.production.yaml Pulumi.staging.yaml")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("Staging", "the name is 'Staging': must be lower-case"),
        ("dev", "there is an environment 'dev' already: Pulumi.dev.yaml"),
        ("qa --region mars1", "region is mars1: must be one of ams3"),
        ("qa --web-size huge", "size huge: not to be had in fra1; there is: "),
        ("qa --web-count 99", "slipway:webCount is 99: must be 1 to 50"),
    ],
)
def test_what_cannot_be_had_is_named_and_no_file_is_written(
    team: Clone, words: str, said: str
) -> None:
    assert said in team.run(f"scripts/new-environment {words}", fails=True).stderr
    assert not (team.folder / "Pulumi.qa.yaml").exists()


def test_a_wrong_token_is_said_before_a_file_is_written(team: Clone) -> None:
    team.environment["DIGITALOCEAN_TOKEN"] = "wrong"
    said = team.run("scripts/new-environment qa", fails=True).stderr
    assert "does not take the token of DIGITALOCEAN_TOKEN" in said
    assert "wrong" not in said
    assert not (team.folder / "Pulumi.qa.yaml").exists()
