"""Go back to a release that is still on the servers."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from cli.arguments import Arguments, Command
from cli.console import fail, say

if TYPE_CHECKING:
    from cli.engine.update import Updater
    from cli.project.sites import Site


def _arguments(parser: Arguments) -> None:
    text = "a release of scripts/releases (default: the newest good one before the present one)"
    parser.add_argument("id", nargs="?", metavar="[id]", help=text)
    parser.site("one of the further sites (default: the first; its releases are others)")
    parser.flag("--force", "also to one that is marked bad: it failed here before")
    parser.wait()


def _run(options: Namespace) -> int:
    from cli.stack import prepare_update

    stack = options.stack
    _, program = prepare_update(stack)

    from cli.engine.update import Updater
    from cli.project import sites
    from cli.releases.rollback_target import target
    from cli.servers import visit

    updater = Updater(stack, program, wait=options.wait)
    updater.await_turn()
    site = sites.find(stack, options.site)
    release = target(stack, site, options.id, force=options.force)
    name = f"{site.name} is " if options.site else ""
    say(f"{stack}: {name}going back to release {release}")
    # One step: where that release cannot serve, nobody has asked for a still older one.
    if not _go_back(updater, site, release):
        from cli.releases import settings_then

        settings_then.tell(stack, release, site)
        fail(
            f"{stack} has not gone back to release {release}: see above; scripts/releases {stack}"
            f" lists the others, scripts/rollback {stack} <id> goes to one"
        )
    of_site = f" of {site.name}" if options.site else ""
    say(f"{stack} serves release {release}{of_site}: {visit.require_well_served(stack)}")
    return 0


def _go_back(updater: Updater, site: Site, release: str) -> bool:
    """Whether it went well; else the setting is what it was, as the environment is."""
    from cli.engine.process import require
    from cli.project import environments

    stack, setting = updater.stack, site.path("release")
    if site.number is None:
        path = []
        # --config also keeps the setting in Pulumi.<stack>.yaml.
        well = updater.update("--config", f"{environments.project()}:release={release}")
    else:
        path = ["--path"]
        # Within a list it would not: it would take the place of the whole list.
        require(["pulumi", "config", "set", *path, setting, release, "--stack", stack])
        well = updater.update()
    if not well:
        held = str(site.settings.get("release") or "")
        words = ["set", *path, setting, held] if held else ["rm", *path, setting]
        require(["pulumi", "config", *words, "--stack", stack])
    return well


COMMAND = Command(
    description="""
        Go back to a release that is still on the servers: nothing is built, nothing is uploaded.

        It sets slipway:release and updates the environment. The environment stays on that release
        until the application changes (scripts/up) or the setting is taken away (pulumi config rm
        release).
        """,
    arguments=_arguments,
    examples=["scripts/rollback local", "scripts/rollback local 0a1b2c3d4e5f"],
    run=_run,
)
