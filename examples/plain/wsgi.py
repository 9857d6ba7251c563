"""A WSGI application without a framework (PEP 3333)."""

from collections.abc import Callable, Iterable
from typing import Any

PAGES = {"/": "Hello, whoever you are.\n", "/healthz": "ok\n"}


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    page = PAGES.get(environ["PATH_INFO"])
    body = (page or "There is no such page.\n").encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response("200 OK" if page else "404 Not Found", headers)
    return [body]
