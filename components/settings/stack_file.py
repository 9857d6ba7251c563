"""Pulumi.<stack>.yaml, read as the engine reads it; without Pulumi's SDK, which is slow to import.

This is the only place that reads such a file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from components.core.this_machine import is_this_machine

_MAP = "tag:yaml.org,2002:map"


class StackFileError(ValueError):
    """The file cannot be read; the message is for a person and names the file and the line."""


class _Loader(yaml.CSafeLoader):
    """YAML as the engine's library takes it: words such as `yes` and `12:30` are text.

    libyaml, unlike PyYAML's own parser, also allows a tab after the colon.
    """

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - declared so by PyYAML


for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+)", "-+0123456789"),
    ("float", r"[-+]?(?:[0-9][0-9_]*\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )


#: The settings of ports of 127.0.0.1 that lead to servers.
FORWARDED = ("localWebPort", "localTlsPort", "localDbPort")


@dataclass(frozen=True, kw_only=True)
class StackFile:
    """What one environment's file says.

    `config` has each value by its key with the namespace (`slipway:webPort`). A secret is a map
    with the key `secure`. An empty value is None, which counts as not set.
    """

    stack: str
    project: str
    config: Mapping[str, Any]
    salt: str
    """What its secrets are encrypted with, beside the passphrase; empty where it has none."""

    @property
    def settings(self) -> dict[str, Any]:
        """Those of the project that are set, by name."""
        own = f"{self.project}:"
        return {
            key.removeprefix(own): value
            for key, value in self.config.items()
            if key.startswith(own) and value is not None
        }

    @property
    def sites(self) -> list[dict[str, Any]]:
        """What each further site says of its own; empty where that is no list of maps."""
        found = self.settings.get("sites")
        if isinstance(found, str):  # as `pulumi config set` without --path writes it
            with suppress(yaml.YAMLError):
                found = parse(found)
        return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []

    @property
    def endpoint(self) -> str:
        """Where DigitalOcean's API is asked for this environment; empty for DigitalOcean itself."""
        return str(self.config.get("digitalocean:apiEndpoint") or "").rstrip("/")

    @property
    def local_port(self) -> int | None:
        """Where the local cloud listens, if this environment stands in it."""
        if not (self.endpoint.startswith("http://") and is_this_machine(self.endpoint)):
            return None
        try:
            return urlsplit(self.endpoint).port or 80
        except ValueError:
            return None

    @property
    def has_token(self) -> bool:
        """Whether the file itself holds a token for DigitalOcean."""
        return bool(self.config.get("digitalocean:token"))

    @property
    def has_own_hosts(self) -> bool:
        """Whether the servers exist already, so that DigitalOcean is not asked for any."""
        return bool(self.settings.get("dbHost"))

    @property
    def forwarded_ports(self) -> list[int]:
        """The ports of 127.0.0.1 that it wants. The settings say what is wrong with any other."""
        wanted = (str(self.settings.get(name, "")) for name in FORWARDED)
        return [int(each) for each in wanted if each.isdecimal() and 1 <= int(each) <= 65535]

    @property
    def local_domains(self) -> list[str]:
        """The domains of names below localhost, such as shop.localhost of www.shop.localhost."""
        names = [
            name.removeprefix("*.")
            for each in (self.settings, *self.sites)
            for key in ("serverNames", "redirectNames")
            for name in _words(each.get(key))
        ]
        return sorted(
            {".".join(name.split(".")[-2:]) for name in names if name.endswith(".localhost")}
        )

    @property
    def local_acme_port(self) -> int | None:
        """The port of the local cloud's ACME server, if a site of it asks that one."""
        address = str(self.settings.get("acmeServer") or "")
        named = any(each.get("serverNames") for each in (self.settings, *self.sites))
        if not (named and is_this_machine(address)):
            return None
        try:
            return urlsplit(address).port
        except ValueError:
            return None

    @property
    def is_held_on_a_release(self) -> bool:
        """Whether a rollback holds the first site, or a further one, on a release."""
        return any(each.get("release") for each in (self.settings, *self.sites))


def _words(value: object) -> list[str]:
    """The items of a list, or the keys of a map; none of what is neither, as the settings tell."""
    if isinstance(value, str):  # as `pulumi config set` without --path writes it
        with suppress(yaml.YAMLError):
            value = parse(value)
    return [str(each) for each in value] if isinstance(value, list | dict) else []


def read(path: Path, project: str) -> StackFile:
    """Read an environment's file.

    Args:
        path: of Pulumi.<stack>.yaml.
        project: the namespace of keys that have none.

    Raises:
        OSError: it cannot be opened.
        StackFileError: it is not YAML, or its `config` is not a map.
    """
    document = load(path) or {}
    config = document.get("config") if isinstance(document, dict) else document
    if config is None:
        config = {}
    if not isinstance(config, dict):
        raise StackFileError(f"{path.name}: config is {config!r}: must be keys with their values")
    return StackFile(
        stack=path.name.removeprefix("Pulumi.").removesuffix(".yaml"),
        project=project,
        config={_with_namespace(str(key), project): value for key, value in config.items()},
        salt=str(document.get("encryptionsalt") or ""),
    )


def load(path: Path) -> Any:
    """The content of a file of Pulumi's. Raises `OSError` and `StackFileError`."""
    try:
        return parse(path.read_text())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise StackFileError(f"{path.name}{where}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StackFileError(f"{path.name}: not valid YAML: {error}") from None


def parse(text: str) -> Any:
    """A document, or a value, in YAML."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader


def without(text: str, key: str) -> str:
    """A document without one of its top-level keys; every other line stays as it is written."""
    lines = text.splitlines(keepends=True)
    node = yaml.compose(text, Loader=_Loader)
    for name, value in node.value if node is not None and node.tag == _MAP else []:
        if name.value == key:
            end = value.end_mark.line + (value.end_mark.column > 0)
            return "".join(
                lines[: name.start_mark.line] + lines[max(end, name.end_mark.line + 1) :]
            )
    return text


def renamed(text: str, old: str, new: str) -> str:
    """A document whose configuration goes by another namespace; all else stays as it is written."""
    node = yaml.compose(text, Loader=_Loader)
    found = {key.value: value for key, value in node.value} if node is not None else {}
    config = found.get("config")
    keys = config.value if config is not None and config.tag == _MAP else []
    for key, _ in reversed(keys):
        if key.value.startswith(f"{old}:"):
            start, end = key.start_mark.index, key.end_mark.index
            written = text[start:end].replace(f"{old}:", f"{new}:", 1)
            text = text[:start] + written + text[end:]
    return text


def _with_namespace(key: str, project: str) -> str:
    """`webPort` and `slipway:config:webPort` are `slipway:webPort`, as the engine has it."""
    words = key.split(":")
    if len(words) == 3 and words[1] == "config":
        return f"{words[0]}:{words[2]}"
    return key if len(words) > 1 else f"{project}:{key}"
