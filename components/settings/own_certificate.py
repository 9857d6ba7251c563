"""A certificate of one's own: checked against its key, the names and the date; pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from components.core.errors import SlipwayError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

ALLOWED = "a certificate in PEM, then those that have signed it, each signed by the next"


def check(
    chain: str, key: str, names: Sequence[str], *, prefix: str, now: datetime | None = None
) -> None:
    """Check that browsers would accept it for these names.

    Args:
        chain: the setting `certificate`.
        key: the setting `certificateKey`; messages never contain it.
        names: those that it is for.
        prefix: of settings in messages.
        now: the time; None for the present.

    Raises:
        SlipwayError: naming the setting, what is wrong with it, and what is allowed.
    """
    # Importing it takes a tenth of a second, so that happens only where it is used.
    from cryptography.hazmat.primitives import serialization

    try:
        private = serialization.load_pem_private_key(key.encode(), password=None)
    except (ValueError, TypeError):
        raise SlipwayError(
            f"{prefix}certificateKey cannot be read: must be a private key in PEM, without a"
            " passphrase"
        ) from None
    certificates = _read(chain, prefix)
    leaf = certificates[0]
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if leaf.public_key().public_bytes(*form) != private.public_key().public_bytes(*form):
        raise SlipwayError(
            f"{prefix}certificateKey is not the key of {prefix}certificate: must be the one that it"
            " was requested with"
        )
    if missing := [each for each in names if not _is_for(leaf, each)]:
        raise SlipwayError(
            f"{prefix}certificate is not for {', '.join(missing)}: must be for all of"
            f" {prefix}serverNames and {prefix}redirectNames"
        )
    present = now or datetime.now(UTC)
    if not leaf.not_valid_before_utc <= present < leaf.not_valid_after_utc:
        raise SlipwayError(
            f"{prefix}certificate is valid from {leaf.not_valid_before_utc:%Y-%m-%d} to"
            f" {leaf.not_valid_after_utc:%Y-%m-%d}: must be valid now"
        )


def _read(chain: str, prefix: str) -> list[Certificate]:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        certificates = x509.load_pem_x509_certificates(chain.encode())
    except ValueError:
        raise SlipwayError(f"{prefix}certificate cannot be read: must be {ALLOWED}") from None
    for signed, signer in itertools.pairwise(certificates):
        try:
            signed.verify_directly_issued_by(signer)
        except (ValueError, TypeError, InvalidSignature):
            raise SlipwayError(
                f"{prefix}certificate has certificates that are not signed by the next one"
                f" ({signed.subject.rfc4514_string()} by {signer.subject.rfc4514_string()}): must"
                f" be {ALLOWED}"
            ) from None
    return certificates


def _is_for(certificate: Certificate, name: str) -> bool:
    """Whether it covers a name, by itself or by a wildcard for one label (RFC 6125, 6.4.3)."""
    from cryptography import x509

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return False
    covered = extension.value.get_values_for_type(x509.DNSName)
    above = name.partition(".")[2]
    return name in covered or f"*.{above}" in covered
