"""Write Pulumi.<name>.yaml after a few questions, each of which a flag can answer."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

import click
import yaml

from cli.console import fail, say
from cli.paths import environments as all_environments
from cli.project import environments
from cli.provider import offer, price
from components.core.errors import SlipwayError
from components.settings import load


def write(name: str, flags: Mapping[str, Any]) -> None:
    """Write the file, and say what it costs; ends the command where it cannot be as wished.

    Args:
        name: of the environment.
        flags: answers that need no question; None for a question.
    """
    _check_name(name)
    answers = _answers(flags)
    others = {other: environments.settings_of(other)["vpcRange"] for other in all_environments()}
    wanted = {
        "namePrefix": f"{name}-",
        "region": answers["region"],
        "webCount": answers["web_count"],
        "webSize": answers["web_size"],
        "dbSize": answers["db_size"],
        "backups": answers["backups"],
        "protectDatabase": answers["protect"],
        "vpcRange": environments.free_network(others),
    }
    found = offer.offer()
    found.check(wanted["region"], wanted["webSize"], wanted["dbSize"])
    whole = environments.defaults() | wanted
    try:
        load.parse(whole)
    except SlipwayError as error:
        fail(str(error))
    path = environments.path_of(name)
    path.write_text(document(name, wanted))
    say(f"{path.name} is written; what it costs, as of today's prices:")
    click.echo(price.estimate(price.items(whole, found.monthly)))


def document(name: str, wanted: dict[str, Any]) -> str:
    """The file: only what differs from the defaults; pure."""
    known = environments.defaults()
    said = {
        f"{environments.project()}:{key}": value
        for key, value in wanted.items()
        if value != known.get(key)
    }
    return f"# The environment {name}.\n" + yaml.safe_dump({"config": said}, sort_keys=False)


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
        fail(
            f"the name is {name!r}: must be lower-case letters, digits and dashes, such as staging"
        )
    if name in all_environments():
        fail(f"there is an environment {name!r} already: Pulumi.{name}.yaml")


def _answers(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The flags, and for what they do not say the person's answers, or else the defaults."""
    known = environments.defaults()
    questions = {
        "region": ("Region", known["region"]),
        "web_count": ("Web servers", known["webCount"]),
        "web_size": ("Size of a web server", known["webSize"]),
        "db_size": ("Size of the database server", known["dbSize"]),
        "backups": ("Weekly backups", known["backups"]),
        "protect": ("Refuse to destroy the database server", known["protectDatabase"]),
    }
    asks = sys.stdin.isatty()
    return {
        key: flags[key]
        if flags[key] is not None
        else click.prompt(question, default=default, err=True)
        if asks
        else default
        for key, (question, default) in questions.items()
    }
