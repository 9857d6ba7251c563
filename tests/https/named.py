"""An environment with names, as a browser, its CA and a person see it."""

from __future__ import annotations

import http.client
import json
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from local_cloud.cli.paths import cache_folder
from local_cloud.hosts.hypervisor import NspawnHypervisor
from local_cloud.services.acme import AcmeServer
from tests.clone import Clone
from tests.fleet.fleet import WebServers
from tests.visitors import ByName, Visitors

NAME, ALIAS, OLD_NAME = "www.site.localhost", "site.localhost", "old.site.localhost"
SHOP = "shop.localhost"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True)
class Named:
    """What the stories ask of it."""

    site: Clone

    @property
    def servers(self) -> WebServers:
        return WebServers(self.site, host=NAME)

    # As a browser

    @property
    def roots(self) -> str:
        """What the browser trusts: whoever has signed in this cloud."""
        return str(self.acme.roots)

    def get(self, path: str = "/", name: str = NAME) -> Answer:
        """Over HTTPS; the certificate has to be one for the name."""
        return _asked(ByName("127.0.0.1", self.site.place.tls, name, self.roots), path, name)

    def get_plain(self, path: str = "/", name: str = NAME) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.site.place.web, timeout=10)
        return _asked(connection, path, name)

    def serial(self, server: str = "web", app: str = "site") -> int:
        """Of the certificate that a visitor of this server is shown."""
        found = self.status(server, app)
        assert found["served"], found
        return int(found["serial"], 16)

    @contextmanager
    def visited(self, *, most_failed: int = 0) -> Iterator[Visitors]:
        """Visitors come over HTTPS all the while, each request with a connection of its own."""
        url = f"https://127.0.0.1:{self.site.place.tls}/"
        with Visitors(url, host=NAME, roots=self.roots) as visitors:
            yield visitors
        assert len(visitors.good) > 20, f"hardly a visitor came: {visitors}"
        assert visitors.failed <= most_failed, str(visitors)

    # As its CA

    @property
    def acme(self) -> AcmeServer:
        state = self.site.folder / ".slipway" / "local-cloud"
        return AcmeServer(NspawnHypervisor(state, cache_folder()))

    @property
    def orders(self) -> int:
        """How many the CA has taken since it was started last."""
        log = self.acme.folder / "output.log"
        # Not the requests, of which it refuses some for their nonce.
        return len(re.findall(r"Added order", log.read_text()))

    def ca_wants_renewed(self, chain: str) -> None:
        """Have the CA say of a certificate that it is time (RFC 9773)."""
        now = datetime.now(UTC)
        window = {
            "start": f"{now - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}",
            "end": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
        }
        body = {"Certificate": chain, "ARIResponse": json.dumps({"suggestedWindow": window})}
        place = urlsplit(self.acme.management)
        trust = ssl.create_default_context(cafile=self.roots)
        connection = http.client.HTTPSConnection(place.netloc, timeout=10, context=trust)
        headers = {"User-Agent": "slipway"}
        connection.request("POST", "/set-renewal-info/", json.dumps(body), headers)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        connection.close()

    @contextmanager
    def ca_away(self) -> Iterator[None]:
        self.acme.stop()
        try:
            yield
        finally:
            self.acme.start(lambda line: None)

    # As a person

    def certctl(self, words: str, server: str = "web") -> str:
        return self.servers.everywhere(f"sudo certctl {words} 2>&1", server)[server]

    def status(self, server: str = "web", app: str = "site") -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.certctl("status", server))[app]
        return said

    def api(self, method: str, path: str, body: object = None) -> Any:
        """DigitalOcean's, of the cloud."""
        token = (self.site.folder / ".slipway/local-cloud/token").read_text().strip()
        connection = http.client.HTTPConnection("127.0.0.1", self.site.place.api, timeout=10)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        connection.request(method, f"/v2/{path}", json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert answer.status < 300, text
        return json.loads(text) if text else None

    def leads_to(self, name: str) -> str:
        """The address in the name's record."""
        (record,) = self._records(name)
        return str(record["data"])

    def _records(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api(
            "GET", f"domains/{ALIAS}/records?type=A&name={name}"
        )["domain_records"]
        return found

    @contextmanager
    def leads_elsewhere(self, name: str, address: str = "203.0.113.99") -> Iterator[None]:
        """A record of a name has another address for a while."""
        (record,) = self._records(name)
        path = f"domains/{ALIAS}/records/{record['id']}"
        self.api("PATCH", path, {"type": "A", "data": address})
        try:
            yield
        finally:
            self.api("PATCH", path, {"type": "A", "data": record["data"]})


def _asked(connection: http.client.HTTPConnection, path: str, name: str) -> Answer:
    try:
        connection.request("GET", path, headers={"Host": f"{name}:{connection.port}"})
        answer = connection.getresponse()
        headers = {key.lower(): value for key, value in answer.getheaders()}
        return Answer(answer.status, headers, answer.read().decode())
    finally:
        connection.close()
