"""A recording engine: the whole program runs against it, without a cloud."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks
from pulumi.runtime.rpc import _special_secret_sig, _special_sig_key

ROOT = Path(__file__).resolve().parent.parent.parent

#: Of the curve P-256, as ssh-keygen writes it: its point is the curve's own base point.
ECDSA_PUBLIC = (
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGsX0fLh"
    "LEJH+Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT+NC4v4af5uO5+tKfA+eFivOM1drMV7Oy7ZAaDe/UfU= slipway"
)


@dataclass(frozen=True)
class Created:
    """One resource as the engine was asked for it; `inputs` in the provider's own names."""

    type: str
    name: str
    inputs: dict[str, Any]


@dataclass
class Engine(Mocks):
    """Answers as the providers would, and remembers what it was asked."""

    last_outputs: dict[str, Any] = field(default_factory=dict)
    serving: str = ""
    """What the web servers serve where the update leaves them out; else what it switches to."""
    resources: list[Created] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        self.resources.append(Created(args.typ, args.name, args.inputs))
        answer = dict(args.inputs)
        if args.typ == "digitalocean:index/droplet:Droplet":
            answer |= {"ipv4Address": "203.0.113.7", "ipv4AddressPrivate": "10.20.0.2"}
        elif args.typ == "digitalocean:index/loadBalancer:LoadBalancer":
            return "4711", answer | {"ip": "203.0.113.80"}
        elif args.typ == "digitalocean:index/reservedIp:ReservedIp":
            answer |= {"ipAddress": "203.0.113.90"}
        elif args.typ == "command:local:Command":
            of_tls = " ecdsa " in plain(args.inputs.get("create", ""))
            public = ECDSA_PUBLIC if of_tls else "ssh-ed25519 PUBLIC"
            answer["stdout"] = f"{public}\nPRIVATE KEY"
        elif args.typ == "command:remote:Command":
            answer["stdout"] = json.dumps(
                {
                    "id": self.serving or _switched_to(plain(args.inputs["create"])),
                    "activated_at": "2026-11-20T16:00:00Z",
                    "changed": True,
                    "at": "2026-11-20T15:59:00Z",
                    "attempt": f"of {args.name}",
                }
            )
            if " comes back" in plain(args.inputs["create"]):
                answer["stdout"] = ""
            if "certctl chains" in plain(args.inputs["create"]):
                answer["stdout"] = json.dumps({"site": "CHAIN"})
        return f"{len(args.name)}", answer

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        assert args.token == "pulumi:pulumi:readStackOutputs"
        return {"outputs": self.last_outputs}, []

    def one(self, name: str, kind: str = "") -> Created:
        """The resource of that name (and a type that ends so)."""
        found = [each for each in self.resources if each.name == name and each.type.endswith(kind)]
        assert len(found) == 1, f"{name}: {[each.name for each in self.resources]}"
        return found[0]

    def all(self, kind: str) -> list[Created]:
        return [each for each in self.resources if each.type.endswith(kind)]


def is_secret(value: Any) -> bool:
    return isinstance(value, dict) and value.get(_special_sig_key) == _special_secret_sig


def plain(value: Any) -> Any:
    """The value inside a secret, or the value."""
    return value["value"] if is_secret(value) else value


def _switched_to(script: str) -> str:
    found = re.search(r" switch ([0-9a-f]{12}) ", script)
    return found[1] if found else ""


Run = Callable[..., Engine]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `__main__.py` with settings on top of the defaults, wait until all is registered."""
    monkeypatch.setenv("SLIPWAY_HOME", str(tmp_path))
    monkeypatch.chdir(ROOT)
    schema = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]

    def run_program(
        last_outputs: dict[str, Any] | None = None, serving: str = "", **settings: Any
    ) -> Engine:
        engine = Engine(last_outputs=last_outputs or {}, serving=serving)
        values = {name: declared["default"] for name, declared in schema.items()} | settings
        pulumi.runtime.set_mocks(engine, project="slipway", stack="test", preview=False)
        pulumi.runtime.set_all_config(
            {f"slipway:{name}": _as_config(value) for name, value in values.items()}
        )
        monkeypatch.setattr(pulumi, "export", engine.exports.__setitem__)

        @pulumi.runtime.test  # type: ignore[untyped-decorator]
        def program() -> Any:
            runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
            return pulumi.Output.all(**engine.exports).apply(engine.exports.update)

        program()
        return engine

    return run_program


def _as_config(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


__all__ = ["Created", "Engine", "Run", "is_secret", "plain"]
