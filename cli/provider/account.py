"""The account at DigitalOcean, or the local cloud in its place, that an environment stands in."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from cli.engine.process import pulumi
from cli.paths import home
from cli.project import environments
from components.core.this_machine import is_this_machine

DIGITALOCEAN = "https://api.digitalocean.com"
PER_PAGE = 200
"""The most that DigitalOcean gives at once."""
SECONDS_FOR_AN_ANSWER = 10
SECONDS_UNTIL_GONE = 60


class NotAskedError(Exception):
    """There was no answer that says anything; the message is why, and never holds the token."""


@dataclass(frozen=True)
class Account:
    endpoint: str
    token: str = field(repr=False)

    @classmethod
    def of(cls, stack: str) -> Account:
        """With the endpoint and the token that the provider takes for this environment."""
        file = environments.file_of(stack)
        endpoint = file.endpoint or os.environ.get("DIGITALOCEAN_API_URL") or DIGITALOCEAN
        endpoint = endpoint.rstrip("/")
        if file.has_token:
            return cls(endpoint, pulumi("config", "get", "digitalocean:token", "--stack", stack))
        own = home() / "local-cloud" / "token"
        if is_this_machine(endpoint) and own.is_file():
            return cls(endpoint, own.read_text().strip())
        names = ("DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN")
        return cls(endpoint, next((os.environ[name] for name in names if os.environ.get(name)), ""))

    def all(self, what: str, **wish: str) -> list[dict[str, Any]]:
        """Every one of a kind (droplets), from all pages. Raises `NotAskedError`."""
        found: list[dict[str, Any]] = []
        page: int | None = 1
        while page:
            path = f"/v2/{what}"
            status, body = self._ask("GET", path, per_page=str(PER_PAGE), page=str(page), **wish)
            if status != 200 or not isinstance(body.get(what), list):
                raise NotAskedError(f"{self.endpoint}{path} answers {status}")
            found += body[what]
            more = body.get("links", {}).get("pages", {}).get("next")
            page = page + 1 if more else None
        return found

    def destroy(self, path: str) -> None:
        """Destroy what is at that path, and wait until it is gone. Raises `NotAskedError`."""
        status, _ = self._ask("DELETE", path)
        if status not in (202, 204, 404):
            raise NotAskedError(f"DELETE {self.endpoint}{path} answers {status}")
        deadline = time.monotonic() + SECONDS_UNTIL_GONE
        while self._ask("GET", path)[0] != 404:
            if time.monotonic() > deadline:
                raise NotAskedError(f"{self.endpoint}{path} is still there")
            time.sleep(0.5)

    def _ask(self, method: str, path: str, **wish: str) -> tuple[int, dict[str, Any]]:
        if not self.token:
            raise NotAskedError("there is no token (DIGITALOCEAN_TOKEN)")
        place = urlsplit(self.endpoint)
        if place.scheme not in ("http", "https"):
            raise NotAskedError(f"digitalocean:apiEndpoint is {self.endpoint}: must be a URL")
        query = f"?{urlencode(wish)}" if wish else ""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        request = Request(self.endpoint + path + query, method=method, headers=headers)  # noqa: S310
        # No proxy stands between this machine and itself.
        proxies: dict[str, str] | None = {} if is_this_machine(self.endpoint) else None
        opener = build_opener(ProxyHandler(proxies), _NoFurther)
        try:
            with opener.open(request, timeout=SECONDS_FOR_AN_ANSWER) as answer:
                status, content = answer.status, answer.read()
        except HTTPError as error:
            status, content = error.code, b""
        except (OSError, HTTPException) as error:
            why = str(error) or type(error).__name__
            raise NotAskedError(f"{self.endpoint} does not answer: {why}") from None
        try:
            body = json.loads(content or b"{}")
        except ValueError:
            body = {}
        return status, body if isinstance(body, dict) else {}


class _NoFurther(HTTPRedirectHandler):
    """The token is for this address and no other."""

    def redirect_request(self, *_: Any) -> None:
        return None
