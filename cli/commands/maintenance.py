"""Show visitors a page instead of the site, or the site again."""

from __future__ import annotations

from argparse import Namespace

from cli.arguments import Arguments, Command, required
from cli.console import fail, say

ON_OR_OFF = ("on", "off")


def _arguments(parser: Arguments) -> None:
    text = "whether visitors get the page"
    parser.add_argument("wish", nargs="?", default="", metavar="on|off", help=text)
    default = "We are working on the site."
    text = f"what the page says (default: {default})"
    parser.value("--message", "TEXT", text, required("a text"), default=default)
    parser.wait()


def _run(options: Namespace) -> int:
    stack, wish = options.stack, options.wish
    if wish not in ON_OR_OFF:
        fail(f"what to do is '{wish}': must be on or off (see --help)")
    from cli.stack import prepare_update

    file, program = prepare_update(stack)

    from cli.engine.process import require
    from cli.engine.update import Updater
    from cli.servers import visit

    updater = Updater(stack, program, wait=options.wait)
    updater.await_turn()
    words = ["set", "maintenance", "--", options.message] if wish == "on" else ["rm", "maintenance"]
    require(["pulumi", "config", words[0], "--stack", stack, *words[1:]])
    if file.is_held_on_a_release:
        from cli.releases.unpin import unpin_changed

        unpin_changed(stack)
    if not updater.update():
        return 1
    visit.require_well_served(stack)
    say(f"{stack}: maintenance is {wish}")
    return 0


COMMAND = Command(
    description="""
        Show visitors a page instead of the site (status 503, Retry-After), or the site again. The
        application stays up behind, so that it can be released, migrated and looked at meanwhile.

        It sets slipway:maintenance and updates the environment.
        """,
    arguments=_arguments,
    not_a_stack=ON_OR_OFF,
    examples=['scripts/maintenance local on --message "Back at ten."'],
    run=_run,
)
