"""A certificate with those that sign it, as it is in a file; and the keys that it may fit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .console import CertificateError

#: Begins the line, before the first certificate, that says which CA it was ordered from.
ORDERED_FROM = "# ordered from "
_LAST_LINE = "-----END CERTIFICATE-----"


@dataclass(frozen=True)
class Chain:
    """What nginx serves: the site's own certificate first."""

    pem: str

    @cached_property
    def certificates(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(self.pem.encode())

    @property
    def leaf(self) -> x509.Certificate:
        return self.certificates[0]

    @property
    def names(self) -> set[str]:
        try:
            found = self.leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            return set()
        return set(found.value.get_values_for_type(x509.DNSName))

    @property
    def issuer(self) -> str:
        """The name of who has signed it, for people."""
        for oid in (x509.NameOID.ORGANIZATION_NAME, x509.NameOID.COMMON_NAME):
            if found := self.leaf.issuer.get_attributes_for_oid(oid):
                return str(found[0].value)
        return self.leaf.issuer.rfc4514_string()

    @property
    def serial(self) -> str:
        return f"{self.leaf.serial_number:x}"

    @property
    def begins(self) -> datetime:
        return self.leaf.not_valid_before_utc

    @property
    def ends(self) -> datetime:
        return self.leaf.not_valid_after_utc

    @property
    def is_placeholder(self) -> bool:
        """Whether no CA has signed it."""
        return self.leaf.issuer == self.leaf.subject

    @property
    def acme_server(self) -> str:
        """The directory of the CA that it was ordered from; empty where nobody has noted it."""
        first = self.pem.lstrip().partition("\n")[0]
        return first.removeprefix(ORDERED_FROM) if first.startswith(ORDERED_FROM) else ""

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of the site's own certificate, which tells it from every other."""
        return self.leaf.fingerprint(hashes.SHA256())

    def life_left(self, now: datetime) -> float:
        """The part of its life that is left: 1 for a new one, 0 or less for one that has ended."""
        return (self.ends - now) / (self.ends - self.begins)

    def problem(self, key: ec.EllipticCurvePrivateKey, names: set[str], now: datetime) -> str:
        """Why it cannot be served with this key for these names; empty if it can."""
        if self.is_placeholder:
            return "it is a placeholder"
        if public_bytes(self.leaf.public_key()) != public_bytes(key.public_key()):
            return "it is of another key"
        if missing := sorted(names - self.names):
            return f"it is not for {', '.join(missing)}"
        # When it begins does not count: that would only tell a clock that is behind.
        if now >= self.ends:
            return f"it ran out at {self.ends:%Y-%m-%d %H:%M} UTC"
        for signed, signer in zip(self.certificates, self.certificates[1:], strict=False):
            try:
                signed.verify_directly_issued_by(signer)
            except Exception:  # the library raises errors of several kinds
                return "its certificates are not signed by each other"
        return ""


def public_bytes(key: object) -> bytes:
    """A public key in a form in which two can be compared."""
    encoding, form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(encoding, form)  # type: ignore[attr-defined, no-any-return]


def parse_chain(text: str) -> Chain | None:
    """The chain in a file's text; None where there is none, or no whole one."""
    chain = Chain(text)
    # What is cut off would be left out by the library, and visitors need all of it.
    if not text.rstrip().endswith(_LAST_LINE):
        return None
    try:
        chain.certificates  # noqa: B018 - reading it is the test
    except ValueError:
        return None
    return chain


def read_chain(path: Path) -> Chain | None:
    try:
        return parse_chain(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """A private key.

    Raises:
        CertificateError: it is missing, or none of an elliptic curve.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise CertificateError(
            f"{path}: no private key can be read: {type(error).__name__}"
        ) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CertificateError(f"{path}: must be a key of an elliptic curve")
    return key


def current_time() -> datetime:
    return datetime.now(UTC)
