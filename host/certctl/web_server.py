"""nginx: made to read a new chain, and asked by a real handshake what it serves."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from .chain import Chain, read_chain
from .console import CertificateError
from .settings import Settings, SiteSettings

NGINX = "nginx.service"
#: Old workers of nginx end their requests meanwhile, and the new ones start.
SECONDS_TO_SERVE = 10.0


def install(settings: Settings, site: SiteSettings, chain: Chain) -> None:
    """Have nginx serve a chain; what it served before is there again if it does not.

    Raises:
        CertificateError: nginx refuses the chain, or serves another one.
    """
    before = read_chain(site.chain)
    put(site, chain)
    try:
        reload_nginx()
        require_served(settings, site, chain)
    except CertificateError:
        if before is not None:
            put(site, before)
            reload_nginx()
        raise


def put(site: SiteSettings, chain: Chain) -> None:
    """Write a chain where nginx reads it, and what holds with it."""
    write_durably(site.chain, chain.pem)
    # Visitors by a name that it is not for are better off without HTTPS.
    names = sorted(chain.names & set(site.names))
    write_durably(site.certified, "".join(f"{name} 1;\n" for name in names))
    mark_served(site, real=not chain.is_placeholder)


def mark_served(site: SiteSettings, *, real: bool) -> None:
    """Switch on, or off, what nginx does only with a certificate that browsers accept."""
    link = site.folder / "served"
    try:
        if real and not link.is_symlink():
            link.symlink_to("when-served")
        if not real:
            link.unlink(missing_ok=True)
    except OSError as error:
        raise CertificateError(f"{link}: {error.strerror}") from None


def write_durably(path: Path, text: str) -> None:
    """Write aside and rename, so that a full disk or a lost current leaves the old file whole."""
    aside = path.with_name(f".{path.name}.new")
    try:
        with aside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        aside.chmod(0o644)
        aside.replace(path)
    except OSError as error:
        with suppress(OSError):  # a disk that is read-only refuses this too
            aside.unlink(missing_ok=True)
        raise CertificateError(f"{path}: {error.strerror}; the old file stays") from None


def nginx_runs() -> bool:
    command = ["systemctl", "is-active", "--quiet", NGINX]
    return subprocess.run(command, check=False).returncode == 0


def reload_nginx() -> None:
    """`nginx -s reload` succeeds even if the new files are refused: so they are tested first."""
    if not nginx_runs():
        return
    for command in (["nginx", "-t", "-q"], ["systemctl", "reload", NGINX]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CertificateError(f"nginx refuses it: {done.stderr.strip()}")


def require_served(settings: Settings, site: SiteSettings, chain: Chain) -> None:
    if not nginx_runs():
        return
    wanted = chain.fingerprint
    deadline = time.monotonic() + SECONDS_TO_SERVE
    while (found := served_fingerprint(settings, site)) != wanted:
        if time.monotonic() > deadline:
            what = "nothing" if found is None else "another certificate"
            raise CertificateError(f"nginx serves {what} for {site.names[0]}")
        time.sleep(0.1)


def served_fingerprint(settings: Settings, site: SiteSettings) -> bytes | None:
    """SHA-256 of the certificate that a visitor of the site's first name gets here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # Which certificate it is counts here, and a placeholder is one too.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    name = site.names[0].replace("*", "any")
    try:
        with (
            socket.create_connection(("127.0.0.1", settings.tls_port), timeout=5) as connection,
            context.wrap_socket(connection, server_hostname=name) as secured,
        ):
            certificate = secured.getpeercert(binary_form=True)
    except OSError:
        return None
    return hashlib.sha256(certificate).digest() if certificate else None
