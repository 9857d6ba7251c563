"""Asking the Pulumi engine about a stack, and talking to the person."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent


def say(text: str) -> None:
    print(f"slipway: {text}", file=sys.stderr)  # noqa: T201


def fail(text: str) -> NoReturn:
    say(text)
    sys.exit(1)


def outputs(stack: str, *, secrets: bool = False) -> dict[str, Any]:
    """The outputs of the last good update; empty before the first."""
    words = ["stack", "output", "--json", "--stack", stack]
    text = pulumi(*words, *(["--show-secrets"] if secrets else []))
    answer: dict[str, Any] = json.loads(text or "{}")
    return answer


def pulumi(*words: str) -> str:
    """Standard output of the engine's command line; its own error message ends this program."""
    done = subprocess.run(["pulumi", *words], capture_output=True, text=True, cwd=ROOT)
    if done.returncode != 0:
        fail(done.stderr.strip() or f"pulumi {words[0]} failed")
    return done.stdout.strip()


def stack_settings(stack: str) -> dict[str, Any]:
    """What Pulumi.<stack>.yaml says, by key without namespace."""
    document = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text()) or {}
    return {key.split(":", 1)[1]: value for key, value in (document.get("config") or {}).items()}
