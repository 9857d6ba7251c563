"""Settings of names and HTTPS."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from components.settings.declaration import IN_PLACE, LATER, OWN, Setting
from components.settings.section import Section
from components.settings.types import (
    AcmeServer,
    Email,
    Flag,
    Pem,
    RedirectNames,
    ServerNames,
    TlsMode,
    matches,
)


class HttpsSettings(Section):
    """Names and HTTPS."""

    server_names: Annotated[
        ServerNames,
        Setting(
            "Names of the site, such as [www.example.org]; HTTPS is on where there are any "
            "(docs/https.md)",
            IN_PLACE,
            OWN,
        ),
    ] = []
    redirect_names: Annotated[
        RedirectNames,
        Setting(
            "Names whose visitors are sent on, each with the name that they are sent to "
            "(docs/https.md)",
            IN_PLACE,
            OWN,
        ),
    ] = {}
    tls: Annotated[
        TlsMode,
        Setting(
            "Where HTTPS ends - servers, balancer, own (at the servers, with a certificate of your "
            "own), off, or auto for what fits (docs/https.md)",
            IN_PLACE,
        ),
    ] = "auto"
    certificate: Annotated[
        Pem,
        Setting(
            "A certificate of your own, then those that have signed it, in PEM; for tls own",
            IN_PLACE,
            OWN,
            secret=True,
        ),
    ] = ""
    certificate_key: Annotated[
        Pem, Setting("Its private key in PEM, a secret; for tls own", IN_PLACE, OWN, secret=True)
    ] = ""
    dns: Annotated[
        str,
        matches(r"none|digitalocean"),
        Field(description="none or digitalocean"),
        Setting(
            "Whose DNS gets the records of the names - digitalocean, or none to set them yourself",
            IN_PLACE,
        ),
    ] = "none"
    hsts_seconds: Annotated[
        int,
        Field(ge=0, le=63_072_000, description="0 to 63072000 seconds (two years)"),
        Setting(
            "How long browsers insist on HTTPS after a visit, in seconds; 0 for not at all "
            "(docs/https.md)",
            IN_PLACE,
        ),
    ] = 0
    acme_server: Annotated[
        AcmeServer,
        Setting("Directory of the CA that signs the certificates", IN_PLACE),
    ] = "https://acme-v02.api.letsencrypt.org/directory"
    acme_email: Annotated[
        Email, Setting("Address to which the CA may write; empty for none", IN_PLACE)
    ] = ""
    acme_terms_agreed: Annotated[
        Flag,
        Setting(
            "Whether you agree to the CA's terms of service; without it nothing is ordered", LATER
        ),
    ] = False
