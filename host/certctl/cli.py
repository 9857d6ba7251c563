"""The command line."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from .chain import read_chain
from .console import CertificateError, say
from .keeper import alone, keep, order_ahead, prepare
from .reach import addresses_of
from .settings import CONFIGURATION, Settings, SiteSettings, load
from .status import status_of


def certificates_command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="certctl", description="The certificates of one server's sites."
    )
    parser.add_argument("--configuration", type=Path, default=CONFIGURATION, metavar="FILE")
    parser.add_argument("--site", default="", help="one of them alone, by its application's name")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("prepare", help="give nginx something to serve, asking no CA")
    status = commands.add_parser("status", help="print what there is, as JSON")
    status.add_argument("--leads", action="store_true", help="and where each name leads")
    commands.add_parser("chains", help="print the certificates of a CA that there are, as JSON")
    commands.add_parser("ahead", help="have chains there before nginx is told of them")
    keeping = commands.add_parser("keep", help="have good certificates served")
    keeping.add_argument(
        "--force", action="store_true", help="order anew although there is no need"
    )
    keeping.add_argument(
        "--hurry", action="store_true", help="also if that failed a moment ago: somebody waits"
    )
    return parser


def main() -> int:
    options = certificates_command_line().parse_args()
    try:
        settings = load(options.configuration)
        sites = [each for each in settings.sites if options.site in ("", each.app)]
        if not sites:
            raise CertificateError(f"{options.site} has no certificate here")
        return run(options, settings, sites)
    except FileNotFoundError as error:
        say(f"certctl: {error.filename}: there is no such file: no site here has a certificate")
    except CertificateError as error:
        say(f"certctl: {error}")
    return 1


def run(options: argparse.Namespace, settings: Settings, sites: list[SiteSettings]) -> int:
    if options.command == "status":
        found = {each.app: status_of(settings, each) for each in sites}
        if options.leads:  # the DNS may take its time
            for each in sites:
                found[each.app]["leads"] = {name: addresses_of(name) for name in each.names}
        sys.stdout.write(json.dumps(found) + "\n")
        return 0
    if options.command == "chains":
        chains = {each.app: read_chain(each.chain) for each in sites}
        real = {app: each.pem for app, each in chains.items() if each and not each.is_placeholder}
        sys.stdout.write(json.dumps(real) + "\n")
        return 0
    with alone(settings):
        if options.command in ("prepare", "ahead"):
            for site in sites:
                (prepare if options.command == "prepare" else order_ahead)(settings, site)
            return 0
        # One site's trouble is not another's.
        ends = [kept(settings, each, options) for each in sites]
    return max(ends)


def kept(settings: Settings, site: SiteSettings, options: argparse.Namespace) -> int:
    try:
        memory = keep(settings, site, force=options.force, hurry=options.hurry)
    except CertificateError as error:  # not even what happened can be written down
        say(f"{site.app}: the certificate could not be had: {error}")
        return 1
    if memory.outcome == "waiting":
        say(f"{site.app}: no certificate is ordered, for {memory.reason}")
    elif memory.outcome == "failed":
        say(f"{site.app}: the certificate could not be had: {memory.reason}")
        return 1
    return 0
