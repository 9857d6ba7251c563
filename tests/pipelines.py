"""The jobs of the CI definitions: which commands each of them runs, exactly as written there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = ROOT / ".github" / "workflows"
CIRCLECI = ROOT / ".circleci" / "config.yml"


@dataclass(frozen=True, kw_only=True)
class Job:
    """One job; where it runs for several stacks, `stacks` has them."""

    file: str
    name: str
    commands: tuple[str, ...]
    stacks: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    """The actions of others that it runs."""


def github_jobs() -> list[Job]:
    found = []
    for path in sorted(WORKFLOWS.glob("*.yml")):
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            steps = job.get("steps", [])
            found.append(
                Job(
                    file=path.name,
                    name=name,
                    commands=tuple(step["run"] for step in steps if "run" in step),
                    stacks=tuple(job.get("strategy", {}).get("matrix", {}).get("stack", ())),
                    uses=tuple(step["uses"] for step in steps if "uses" in step),
                )
            )
    return found


def circleci_jobs() -> list[Job]:
    document = yaml.safe_load(CIRCLECI.read_text())
    stacks = _circleci_stacks(document)
    return [
        Job(
            file=CIRCLECI.name,
            name=name,
            commands=tuple(
                step["run"] for step in job["steps"] if isinstance(step, dict) and "run" in step
            ),
            stacks=tuple(stacks.get(name, ())),
        )
        for name, job in document["jobs"].items()
    ]


def _circleci_stacks(document: dict[str, Any]) -> dict[str, list[str]]:
    """For each job the stacks that the workflows give it."""
    found: dict[str, list[str]] = {}
    for workflow in document["workflows"].values():
        for each in workflow["jobs"]:
            if not isinstance(each, dict):
                continue
            ((name, given),) = each.items()
            matrix = given.get("matrix", {}).get("parameters", {}).get("stack", [])
            found.setdefault(name, []).extend(matrix or filter(None, [given.get("stack")]))
    return found
