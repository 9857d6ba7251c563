"""The CI definitions are sound: linted by their own linters, the same on both services."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.pipelines import CIRCLECI, ROOT, WORKFLOWS, circleci_jobs, github_jobs


def passes(*command: str, **environment: str) -> None:
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflows_pass_actionlint(tmp_path: Path) -> None:
    if not shutil.which("go"):
        pytest.skip("no Go to build actionlint of tools/actionlint")
    built = subprocess.run(
        ["go", "install", "tool"],
        cwd=ROOT / "tools" / "actionlint",
        env={**os.environ, "GOBIN": str(tmp_path), "GOFLAGS": "-mod=readonly"},
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stderr
    # It asks shellcheck about each `run`.
    passes(str(tmp_path / "actionlint"), *map(str, sorted(WORKFLOWS.glob("*.yml"))))


def test_the_workflows_pass_zizmor() -> None:
    """Offline: it looks for unpinned actions, secrets in reach of a fork, injected templates."""
    passes("zizmor", "--offline", "--no-progress", "--min-severity", "low", str(WORKFLOWS))


def test_the_definitions_pass_yamllint() -> None:
    rules = "{extends: relaxed, rules: {line-length: disable}}"
    passes("yamllint", "--strict", "-d", rules, str(WORKFLOWS), str(CIRCLECI))


def test_every_action_of_others_is_pinned_to_a_commit_and_says_its_version() -> None:
    for path in WORKFLOWS.glob("*.yml"):
        for line in path.read_text().splitlines():
            if "uses:" in line and "./" not in line:
                assert re.search(r"@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), f"{path.name}: {line}"


def test_both_services_run_the_same_commands() -> None:
    """But for what only GitHub has: its outputs and its summary page."""
    github = {command for job in github_jobs() for command in job.commands}
    circleci = {command for job in circleci_jobs() for command in job.commands}
    only_github = {command for command in github if "GITHUB_" in command}
    as_one = {re.sub(r"scripts/up \w+", 'scripts/up "$STACK"', each) for each in github}
    shown = {re.sub(r" \| tee .*", "", each) for each in circleci}
    assert shown - {'scripts/preview "$STACK" --markdown'} == as_one - only_github


def test_updates_come_after_the_tests_and_production_after_an_approval() -> None:
    import yaml

    jobs = yaml.safe_load((WORKFLOWS / "update.yml").read_text())["jobs"]
    assert [jobs[each]["needs"] for each in ("dev", "staging", "production")] == [
        "checks",
        "dev",
        "staging",
    ]
    assert jobs["production"]["environment"] == "production"


def test_what_a_fork_can_start_gets_no_secret_beyond_the_look_for_them() -> None:
    checks = (WORKFLOWS / "checks.yml").read_text()
    assert "secrets." not in checks
    assert "pull_request_target" not in "".join(p.read_text() for p in WORKFLOWS.glob("*.yml"))
