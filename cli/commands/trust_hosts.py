"""Pin the host keys of servers of your own."""

from __future__ import annotations

from argparse import Namespace

from cli.arguments import Arguments, Command, required
from cli.console import fail


def _arguments(parser: Arguments) -> None:
    text = "take this one without asking; elsewhere than on a terminal the only way"
    check = required("a fingerprint")
    parser.value("--accept", "FINGERPRINT", text, check, default=(), repeats=True)


def _run(options: Namespace) -> None:
    from cli.setup import set_up

    set_up()

    from cli.project import environments
    from cli.stack import prepare

    if not environments.file_of(options.stack).has_own_hosts:
        fail(f"{options.stack} has no servers of its own: webHosts and dbHost name them")
    prepare(options.stack)

    from cli.servers import host_keys

    host_keys.pin(options.stack, options.accept)


COMMAND = Command(
    description="""
        Pin the host keys of servers of your own: shows each fingerprint and asks whether it is the
        right one.

        The key goes into Pulumi.<stack>.yaml (hostKeys). On the server, this shows what to compare
        with: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub
        """,
    arguments=_arguments,
    examples=["scripts/trust-hosts staging"],
    run=_run,
)
