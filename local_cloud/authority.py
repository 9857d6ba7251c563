"""The certificate authority of one cloud, which its hosts trust.

It signs DigitalOcean's certificates of the type `lets_encrypt`, and those of the cloud's own
servers. The rules for what it makes are RFC 5280's, as Python 3.13 and later hold everybody to
them (`ssl.VERIFY_X509_STRICT`): key usage and key identifiers are there.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

FOLDER = "authority"
NAME = "Slipway local cloud"
ROOT_DAYS = 3650
CLOCK_DIFFERENCE = timedelta(hours=1)
"""How far a clock may be behind ours and still find a new certificate valid."""


@dataclass(frozen=True, kw_only=True)
class Issued:
    """A key with its certificate, in PEM."""

    private_key: str = field(repr=False)
    certificate: str


@dataclass(frozen=True)
class Authority:
    """The authority in a state folder; made when it is first needed, then kept."""

    folder: Path

    @classmethod
    def of(cls, state_folder: Path) -> Authority:
        return cls(state_folder / FOLDER)

    @property
    def file(self) -> Path:
        """Its root certificate, for `curl --cacert` and the like."""
        return self.folder / "root.pem"

    def root(self) -> str:
        """Its root certificate in PEM."""
        self._ensure()
        return self.file.read_text()

    def hashed_name(self) -> str:
        """The root's name in a folder of certificates, such as `4f5a6b7c.0` (openssl-rehash(1))."""
        self._ensure()
        return f"{(self.folder / 'hash').read_text().strip()}.0"

    def issue(self, names: Iterable[str], days: float) -> Issued:
        """A new P-256 key and a certificate of it for host names and addresses."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        self._ensure()
        root = x509.load_pem_x509_certificate(self.file.read_bytes())
        root_key = serialization.load_pem_private_key(self._key.read_bytes(), None)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = [_alternative(name) for name in names]
        certificate = (
            _begun(key, days)
            # The names are where programs look for them: a subject beside them may be empty.
            .subject_name(x509.Name([]))
            .issuer_name(root.subject)
            .add_extension(x509.SubjectAlternativeName(subject), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(root.public_key()),  # type: ignore[arg-type]
                critical=False,
            )
            .sign(root_key, hashes.SHA256())  # type: ignore[arg-type]
        )
        return Issued(private_key=_pem(key), certificate=_pem(certificate))

    def _ensure(self) -> None:
        if self.file.exists():
            return
        with self._alone():
            if not self.file.exists():
                self._make()

    def _make(self) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, NAME)])
        root = (
            _begun(key, ROOT_DAYS)
            .subject_name(name)
            .issuer_name(name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        with os.fdopen(os.open(self._key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as to:
            to.write(_pem(key))
        (self.folder / "hash").write_text(f"{_subject_hash(NAME)}\n")
        aside = self.file.with_suffix(".new")
        aside.write_text(_pem(root))
        aside.replace(self.file)  # the last step: where there is a root, all of it is there

    @property
    def _key(self) -> Path:
        return self.folder / "key.pem"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _begun(key: ec.EllipticCurvePrivateKey, days: float) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_DIFFERENCE)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(**wanted: bool) -> x509.KeyUsage:
    from cryptography import x509

    none = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    return x509.KeyUsage(**(none | wanted))


def _alternative(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(thing: ec.EllipticCurvePrivateKey | x509.Certificate) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM).decode()
    return thing.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _subject_hash(common_name: str) -> str:
    """OpenSSL's hash of a subject that is one common name (X509_NAME_hash_ex).

    It is taken of the name in lower case, without the header of the sequence around it.
    """
    from cryptography import x509

    canonical = x509.Name(
        [x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, common_name.lower())]
    ).public_bytes()
    digest = hashlib.sha1(canonical[2:], usedforsecurity=False).digest()
    return f"{int.from_bytes(digest[:4], 'little'):08x}"
