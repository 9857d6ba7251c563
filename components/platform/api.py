"""Questions to DigitalOcean's API that come before an update: the provider makes all changes."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.request import Request, urlopen

import pulumi

from components.settings.load import api_endpoint

DIGITALOCEAN = "https://api.digitalocean.com"
SECONDS_FOR_AN_ANSWER = 10
MOST_ON_A_PAGE = 200


def address() -> str:
    """Of the API that this stack's provider uses."""
    return (api_endpoint() or DIGITALOCEAN).rstrip("/")


def token() -> str:
    """The provider's token, found as the engine finds it; empty where there is none."""
    given = pulumi.Config("digitalocean").get("token")
    names = ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN")
    return given or next((os.environ[name] for name in names if os.environ.get(name)), "")


def all_of(path: str, what: str, wish: str = "") -> list[dict[str, Any]]:
    """All items of a list, from all its pages.

    Args:
        path: of the list, such as `domains`.
        what: the name of the list in an answer.
        wish: parameters of the query, each ended by `&`.

    Raises:
        OSError: the API does not answer, or refuses (urllib's HTTPError is one).
        ValueError, KeyError: it answers something else.
    """
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        request = Request(  # noqa: S310 - the provider's own address, from the settings
            f"{address()}/v2/{path}?{wish}per_page={MOST_ON_A_PAGE}&page={page}",
            headers={"Authorization": f"Bearer {token()}"},
        )
        with urlopen(request, timeout=SECONDS_FOR_AN_ANSWER) as answer:  # noqa: S310
            body = json.load(answer)
        found += body[what]
        if not body.get("links", {}).get("pages", {}).get("next"):
            return found
        page += 1
