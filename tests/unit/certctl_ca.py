"""A CA of a test: a root, and what it has signed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from host.certctl.chain import ORDERED_FROM, Chain

ACME = "https://acme.example/directory"
NAMES = ("www.shop.example", "shop.example")
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_text(key: Any) -> str:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    text: bytes = key.private_bytes(encoding, form, serialization.NoEncryption())
    return text.decode()


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, name)])


@dataclass
class Ca:
    """Signs whatever the test wants."""

    name: str = "Test CA"
    key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)

    @property
    def certificate(self) -> x509.Certificate:
        return self._signed(named(self.name), self.key, NOW - timedelta(days=900), 3650, ())

    def chain(
        self,
        key: Any,
        names: tuple[str, ...] = NAMES,
        *,
        begins: datetime = NOW,
        days: float = 90,
        ordered_from: str = ACME,
    ) -> Chain:
        """A certificate for names, with the CA's own one behind it, as a CA hands it out."""
        leaf = self._signed(x509.Name([]), key, begins, days, names)
        noted = f"{ORDERED_FROM}{ordered_from}\n" if ordered_from else ""
        return Chain(noted + pem(leaf) + pem(self.certificate))

    def _signed(
        self, subject: x509.Name, key: Any, begins: datetime, days: float, names: tuple[str, ...]
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(named(self.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(begins + timedelta(days=days))
        )
        if names:
            alternatives = x509.SubjectAlternativeName(list(map(x509.DNSName, names)))
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self.key, hashes.SHA256())
