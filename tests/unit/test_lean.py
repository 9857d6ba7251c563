"""What the SDK does for each resource is left out, or not, as the environment says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import pulumi
from components.core.pulumi_sdk import leave_out_what_nobody_reads
from pulumi.runtime import resource, settings

class Engine:
    def Log(self, request):
        print("told:", request.message)

class Base:
    def __init__(self):
        self.trace = resource._get_stack_trace()

class Custom(Base):
    def __init__(self):
        super().__init__()

class Command(Custom):
    def __init__(self):
        super().__init__()

settings.SETTINGS.engine = Engine()
leave_out_what_nobody_reads()
pulumi.log.debug("step by step")
pulumi.log.warn("look here")
print("frames:", len(Command().trace.frames))
"""


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("", ["told: look here", "frames: 0"]),
        ("1", ["told: step by step", "told: look here", "frames: 1"]),
    ],
)
def test_debug_messages_and_stack_traces(wish: str, expected: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={"SLIPWAY_SDK_DEBUG": wish},
    )
    assert done.stdout.splitlines() == expected
