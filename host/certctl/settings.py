"""What is wanted of certificates on this server, from certificates.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

CONFIGURATION = Path("/etc/slipway/certificates.json")


@dataclass(frozen=True)
class SiteSettings:
    """A site that has certificates."""

    app: str
    """The application's name."""
    names: tuple[str, ...]
    """All names that its certificate is for, the first one before all others."""
    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / "key.pem"

    @property
    def chain(self) -> Path:
        return self.folder / "chain.pem"

    @property
    def certified(self) -> Path:
        """Lines of nginx's `map`: the names that the chain is for."""
        return self.folder / "certified.map"

    @property
    def kept(self) -> Path:
        return self.folder / "kept.pem"


@dataclass(frozen=True)
class Settings:
    acme_server: str
    """The URL of the CA's directory."""
    email: str
    """To which the CA may write; empty for none."""
    account_key: Path
    state: Path
    """A folder for what happened last."""
    turn: int
    """Which server this is, from 0: it orders a renewal only some time after those before it."""
    peers: tuple[str, ...]
    """Addresses of the other web servers."""
    port: int
    """Where nginx listens for HTTP, here and on the others."""
    tls_port: int
    sites: tuple[SiteSettings, ...]


def load(path: Path = CONFIGURATION) -> Settings:
    given = json.loads(path.read_text(encoding="utf-8"))
    sites = tuple(
        SiteSettings(app=app, names=tuple(each["names"]), folder=Path(each["folder"]))
        for app, each in given["sites"].items()
    )
    return Settings(
        acme_server=given["acme_server"],
        email=given["email"],
        account_key=Path(given["account_key"]),
        state=Path(given["state"]),
        turn=given["turn"],
        peers=tuple(given["peers"]),
        port=given["port"],
        tls_port=given["tls_port"],
        sites=sites,
    )
