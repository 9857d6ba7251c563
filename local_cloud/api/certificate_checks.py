"""Certificates that somebody brings along: what must fit together before a visitor sees them.

Only what a handshake needs is looked at: who signed the last one of a chain is for visitors to
judge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from local_cloud.api.errors import unprocessable

if TYPE_CHECKING:
    from cryptography import x509


SHORTEST_RSA_KEY = 2048
"""Bits; OpenSSL serves no shorter one (its security level 2)."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """A key and a chain that belong together, and what is told of them."""

    private_key: str = field(repr=False)
    chain: str = field(repr=False)
    """In PEM, the certificate itself first."""
    dns_names: tuple[str, ...]
    not_after: str
    sha1_fingerprint: str


def checked(private_key: str, leaf_certificate: str, certificate_chain: str) -> Content:
    """What can be served; 422 names the part that is wrong, and never repeats it."""
    leaf, *more = _certificates("leaf_certificate", leaf_certificate)
    if more:
        message = "give one certificate; those above it belong into certificate_chain"
        raise unprocessable("leaf_certificate", message)
    _check_key(private_key, leaf)
    if leaf.not_valid_after_utc <= datetime.now(UTC):
        ended = f"{leaf.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}"
        raise unprocessable("leaf_certificate", f"it has expired ({ended})")
    chain = _certificates("certificate_chain", certificate_chain) if certificate_chain else []
    _check_chain([leaf, *chain])
    return content_of(private_key, [leaf, *chain])


def content_of(private_key: str, chain: list[x509.Certificate]) -> Content:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding

    leaf = chain[0]
    return Content(
        private_key=f"{private_key.strip()}\n",
        chain="".join(each.public_bytes(Encoding.PEM).decode() for each in chain),
        dns_names=tuple(_names(leaf)),
        not_after=f"{leaf.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}",
        # What DigitalOcean promises; nothing relies on its strength.
        sha1_fingerprint=leaf.fingerprint(hashes.SHA1()).hex(),  # noqa: S303
    )


def _certificates(name: str, pem: str) -> list[x509.Certificate]:
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificates(pem.encode())
    except ValueError:
        raise unprocessable(name, "it is no certificate in PEM") from None


def _check_key(private_key: str, leaf: x509.Certificate) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        key = serialization.load_pem_private_key(private_key.encode(), None)
    except TypeError:
        raise unprocessable("private_key", "it is locked with a passphrase") from None
    except Exception:  # one of several, by what is wrong with it
        raise unprocessable("private_key", "it is no private key in PEM") from None
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < SHORTEST_RSA_KEY:
        message = f"an RSA key of {key.key_size} bits is too short: {SHORTEST_RSA_KEY} at least"
        raise unprocessable("private_key", message)
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        raise unprocessable("private_key", "it does not belong to leaf_certificate")


def _check_chain(chain: list[x509.Certificate]) -> None:
    for index, (signed, signer) in enumerate(pairwise(chain)):
        try:
            signed.verify_directly_issued_by(signer)
        except Exception:  # of another name, of another key, or of a kind that cannot sign
            before = "leaf_certificate" if index == 0 else f"its certificate {index}"
            message = f"its certificate {index + 1} did not sign {before}"
            raise unprocessable("certificate_chain", message) from None


def _names(leaf: x509.Certificate) -> list[str]:
    from cryptography import x509

    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = leaf.subject.get_attributes_for_oid(x509.oid.NameOID.COMMON_NAME)
        return [str(each.value) for each in common]
    return list(names.get_values_for_type(x509.DNSName))
