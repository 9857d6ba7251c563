"""What nginx serves until a CA has signed something: it does not start with nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .chain import Chain

PLACEHOLDER_DAYS = 3650


def placeholder(key: ec.EllipticCurvePrivateKey, names: tuple[str, ...], now: datetime) -> Chain:
    """A certificate that is signed by its own key: a browser warns of it."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "placeholder of Slipway")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=PLACEHOLDER_DAYS))
        .add_extension(x509.SubjectAlternativeName(list(map(x509.DNSName, names))), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Chain(certificate.public_bytes(serialization.Encoding.PEM).decode())
