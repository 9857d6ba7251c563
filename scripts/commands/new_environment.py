"""Write Pulumi.<name>.yaml after a few questions, each of which a flag can answer."""

from __future__ import annotations

import re
import sys
from typing import Any

import click
import yaml

from components.core.errors import SlipwayError
from components.settings import load
from scripts.commands import environments, price, provider
from scripts.commands.engine import ROOT, fail, say


@click.command(context_settings={"help_option_names": []})
@click.argument("name")
@click.option("--region")
@click.option("--web-count", type=int)
@click.option("--web-size")
@click.option("--db-size")
@click.option("--backups/--no-backups", default=None)
@click.option("--protect/--no-protect", default=None)
def main(name: str, **flags: Any) -> None:
    """Called by scripts/new-environment, which has the help."""
    _check_name(name)
    answers = _answers(flags)
    others = {other: environments.settings_of(other)["vpcRange"] for other in environments.names()}
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
    offer = provider.offer()
    offer.check(wanted["region"], wanted["webSize"], wanted["dbSize"])
    whole = environments.defaults() | wanted
    try:
        load.parse(whole)
    except SlipwayError as error:
        fail(str(error))
    path = ROOT / f"Pulumi.{name}.yaml"
    path.write_text(document(name, wanted))
    say(f"{path.name} is written; what it costs, as of today's prices:")
    click.echo(price.estimate(price.items(whole, offer.monthly)))


def document(name: str, wanted: dict[str, Any]) -> str:
    """The file: only what differs from the defaults; pure."""
    known = environments.defaults()
    said = {
        f"{_project()}:{key}": value for key, value in wanted.items() if value != known.get(key)
    }
    return f"# The environment {name}.\n" + yaml.safe_dump({"config": said}, sort_keys=False)


def _project() -> str:
    project: str = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["name"]
    return project


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,30}", name):
        fail(
            f"the name is {name!r}: must be lower-case letters, digits and dashes, such as staging"
        )
    if name in environments.names():
        fail(f"there is an environment {name!r} already: Pulumi.{name}.yaml")


def _answers(flags: dict[str, Any]) -> dict[str, Any]:
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


if __name__ == "__main__":
    main()
