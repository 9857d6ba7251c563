"""Ask for every site over HTTPS as a browser would: by its name, checking the certificate."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SECONDS_FOR_AN_ANSWER = 10


@dataclass(frozen=True, kw_only=True)
class Secured:
    """One site over HTTPS, as the stack's output `https` says."""

    names: list[str]
    port: int


def problems(known: Mapping[str, Any], roots: list[Path]) -> Iterator[str]:
    """A sentence for each name that a browser would warn of, or not reach.

    Args:
        known: the stack's outputs.
        roots: files with certificates that are trusted beside the system's.
    """
    context = ssl.create_default_context()
    for each in roots:
        context.load_verify_locations(each)
    host = urlsplit(str(known["entrance"])).hostname or ""
    for secured in of_sites(known).values():
        for name in secured.names:
            if problem := _problem_of(name, (host, secured.port), context):
                yield f"{name} has no HTTPS yet: {problem}"


def of_sites(known: Mapping[str, Any]) -> dict[str, Secured]:
    """By the name of the site."""
    return {app: Secured(**each) for app, each in (known.get("https") or {}).items()}


def _problem_of(name: str, place: tuple[str, int], context: ssl.SSLContext) -> str:
    try:
        with (
            socket.create_connection(place, SECONDS_FOR_AN_ANSWER) as connection,
            context.wrap_socket(connection, server_hostname=name),
        ):
            return ""
    except ssl.SSLCertVerificationError as error:
        return f"its certificate is none that browsers accept ({error.verify_message})"
    except OSError as error:
        return f"no answer ({error or type(error).__name__})"
