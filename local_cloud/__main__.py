"""`python -m local_cloud`: DigitalOcean on this computer, from the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import click

from local_cloud.cli.paths import cache_folder, default_state_folder
from local_cloud.machine import MachineError


class Commands(click.Group):
    """Turns errors that are meant for a person into one line, with exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except MachineError as error:
            raise click.ClickException(str(error)) from error


def _state(function: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--state",
        type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
        default=default_state_folder,
        show_default="$SLIPWAY_HOME/local-cloud",
        help="The cloud's folder; several clouds can run side by side.",
    )(function)


def _port(function: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--port",
        type=click.IntRange(1, 65535),
        help="The port on 127.0.0.1 for the API; the one it had before, or 7300.",
    )(function)


def _address_and_port(
    context: click.Context, option: click.Parameter, value: str | None
) -> str | None:
    """An IPv4 address, with a port if it is not 53."""
    if value is None:
        return None
    address, _, port = value.partition(":")
    port = port or "53"
    try:
        IPv4Address(address)
    except ValueError as error:
        raise click.BadParameter("give an IPv4 address, such as 127.0.0.1:5353") from error
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise click.BadParameter(f"{port!r} is no port")
    return f"{address}:{port}"


@click.group(cls=Commands)
def main() -> None:
    """DigitalOcean's API on this computer, with real Debian hosts as droplets.

    \b
    Example: python -m local_cloud start && python -m local_cloud status
    """


@main.command()
@_state
@_port
@click.option(
    "--forward",
    "forwards",
    multiple=True,
    type=click.IntRange(1, 65535),
    help="A port of 127.0.0.1 that has to be free or a forward of this cloud; repeatable.",
)
@click.option(
    "--acme",
    "acme_port",
    type=click.IntRange(1, 65535),
    help="Start its ACME server too, on this port of 127.0.0.1.",
)
@click.option(
    "--domain",
    "domains",
    multiple=True,
    help="A domain that the account has from then on, such as shop.localhost; repeatable.",
)
def start(
    state: Path,
    port: int | None,
    forwards: tuple[int, ...],
    acme_port: int | None,
    domains: tuple[str, ...],
) -> None:
    """Start the cloud; returns when it answers.

    \b
    Example: python -m local_cloud start --port 7300
    """
    from local_cloud.cli.server import Server

    Server(state).check_forwards(forwards)
    Server(state).start(port, click.echo)
    if domains:
        from local_cloud.cli.domains import ensure

        ensure(state, domains)
    if acme_port:
        from local_cloud.cli.acme import start as start_acme

        start_acme(state, click.echo, port=acme_port)


@main.command()
@_state
def stop(state: Path) -> None:
    """Stop the API process; the droplets go on.

    \b
    Example: python -m local_cloud stop
    """
    from local_cloud.cli.server import Server

    ran = Server(state).stop()
    click.echo(
        "the local cloud has stopped; its droplets go on (`reset` removes them)"
        if ran
        else "the local cloud was not running"
    )


@main.command()
@_state
@_port
def serve(state: Path, port: int | None) -> None:
    """Serve in the foreground, until Ctrl-C.

    \b
    Example: python -m local_cloud serve --port 7300
    """
    from local_cloud.api.server import StartError
    from local_cloud.cli.server import Server
    from local_cloud.hosts import requirements

    requirements.ensure(click.echo)
    try:
        Server(state).serve(port)
    except StartError as error:
        raise click.ClickException(str(error)) from error


@main.command()
@_state
@click.option("--json", "as_json", is_flag=True, help="For a program.")
@click.option("--load-balancers", is_flag=True, help="Only the load balancers, not the droplets.")
def status(state: Path, as_json: bool, load_balancers: bool) -> None:
    """Show the droplets and load balancers (with --json one of the two).

    \b
    Example: python -m local_cloud status --json
    """
    from local_cloud.cli.status import show

    show(state, as_json=as_json, only_load_balancers=load_balancers)


@main.command(context_settings={"ignore_unknown_options": True})
@_state
@click.option("--user", default="root", show_default=True, help="Who to be in the droplet.")
@click.option(
    "-i", "identity", type=click.Path(exists=True, path_type=Path), help="The private key's file."
)
@click.argument("name")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def ssh(state: Path, user: str, identity: Path | None, name: str, command: tuple[str, ...]) -> None:
    """Open a shell in the droplet NAME (or run COMMAND there).

    \b
    Example: python -m local_cloud ssh -i ~/.ssh/id_ed25519 web systemctl status nginx
    """
    from local_cloud.cli.ssh import connect

    connect(state, name, command, user=user, identity=identity)


@main.command()
@_state
@click.option("--lines", default=50, show_default=True, help="How many of each.")
@click.option("--follow", is_flag=True, help="Go on with what the journal gets.")
@click.argument("name")
def logs(state: Path, lines: int, follow: bool, name: str) -> None:
    """Show the console and the journal of the droplet NAME.

    \b
    Example: python -m local_cloud logs web --follow
    """
    from local_cloud.cli.logs import show

    show(state, name, lines=lines, follow=follow)


@main.command()
@_state
def reset(state: Path) -> None:
    """Destroy every droplet and all that the cloud made on this computer.

    \b
    Example: python -m local_cloud reset
    """
    from local_cloud.cli.reset import reset as take_all_away

    count = take_all_away(state)
    click.echo(f"the local cloud is gone, with {count} droplet{'' if count == 1 else 's'}")


@main.command()
@_state
@click.option("--json", "as_json", is_flag=True, help="For a program.")
@click.option(
    "--name-server",
    metavar="ADDRESS:PORT",
    callback=_address_and_port,
    help="Whom it asks for names, over TCP; the one it asked last, or else the cloud's own.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help="Where it has to listen; any that is free without.",
)
def acme(state: Path, as_json: bool, name_server: str | None, port: int | None) -> None:
    """Start the cloud's ACME server if need be; print its directory and its roots.

    \b
    Example: python -m local_cloud acme
    """
    from local_cloud.cli.acme import show

    show(state, name_server, port, as_json=as_json)


@main.command()
@_state
@click.argument("name")
def renew(state: Path, name: str) -> None:
    """Renew the certificate NAME now, as the cloud does by itself in time.

    \b
    Example: python -m local_cloud renew www
    """
    from urllib.parse import quote

    from local_cloud.cli.api import Api

    told = Api(state).ask("POST", f"/local/certificates/{quote(name, safe='')}/renew")
    renewed = told["certificate"]
    click.echo(f"{renewed['name']} is renewed until {renewed['not_after']} (id {renewed['id']})")


@main.group()
def image() -> None:
    """The images that droplets are made from."""


@image.command()
@click.argument("slug")
def build(slug: str) -> None:
    """Build the image SLUG unless this user has it already.

    \b
    Example: python -m local_cloud image build debian-12-x64
    """
    from local_cloud.hosts import requirements
    from local_cloud.hosts.image import Images

    requirements.ensure(click.echo)
    click.echo(Images(cache_folder()).prepare(slug, click.echo))


if __name__ == "__main__":
    sys.exit(main(prog_name="python -m local_cloud"))
