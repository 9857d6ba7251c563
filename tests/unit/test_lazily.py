"""What is imported lazily is what would have been imported at once."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import importlib, sys
from components.core.lazy_import import import_lazily
if sys.argv[1] == "lazily":
    import_lazily("pulumi_digitalocean")
import pulumi_digitalocean as digitalocean
names = ["Droplet", "LoadBalancer", "SshKey", "Vpc", "FirewallInboundRuleArgs"]
print([(getattr(digitalocean, name).__module__, name) for name in names])
print(digitalocean.Droplet is importlib.import_module("pulumi_digitalocean.droplet").Droplet)
print(len([name for name in sys.modules if name.startswith("pulumi_digitalocean.")]))
print(hasattr(digitalocean, "NoSuchThing"))
"""


def run(how: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_the_same_classes_without_the_hundreds_that_nobody_asked_for() -> None:
    lazily, at_once = run("lazily"), run("at once")
    assert lazily[0] == at_once[0]
    assert lazily[1] == at_once[1] == "True"
    assert int(lazily[2]) < 15 < int(at_once[2])
    assert lazily[3] == at_once[3] == "False"
