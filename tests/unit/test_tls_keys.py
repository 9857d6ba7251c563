"""Keys of certificates and accounts, and by what an account with a CA is known (RFC 7638)."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.jwk import JWKEC
from josepy.util import ComparableECKey

from components.servers import keys
from components.servers.keys import thumbprint_of
from host.certctl.order import thumbprint
from tests.unit.certctl_ca import key_text
from tests.unit.certctl_server import new_web_server


def public_line(key: ec.EllipticCurvePrivateKey) -> str:
    encoding, form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return f"{key.public_key().public_bytes(encoding, form).decode()} slipway\n"


def by_the_library(key: ec.EllipticCurvePrivateKey) -> str:
    digest = JWKEC(key=ComparableECKey(key)).thumbprint(hash_function=hashes.SHA256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.mark.parametrize("number", [1, 2, 3, 2**200 + 7])
def test_program_servers_and_library_say_the_same_of_an_account(
    tmp_path: Path, number: int
) -> None:
    key = ec.derive_private_key(number, ec.SECP256R1())
    with new_web_server(tmp_path) as server:
        server.settings.account_key.write_text(key_text(key))
        ours = thumbprint_of(public_line(key))
        assert ours == thumbprint(server.settings) == by_the_library(key)
    assert len(ours) == 43


def test_coordinates_that_begin_with_a_zero_keep_it() -> None:
    """RFC 7518, 6.2.1.2: as many bytes as the curve has, whatever they are."""
    keys_ = (ec.derive_private_key(number, ec.SECP256R1()) for number in range(1, 2000))
    key = next(each for each in keys_ if each.public_key().public_numbers().x < 2**248)
    assert thumbprint_of(public_line(key)) == by_the_library(key)


def test_a_key_is_generated_in_the_form_that_nginx_and_certctl_read(tmp_path: Path) -> None:
    made = subprocess.run(
        ["sh", "-c", keys._NEW_TLS_KEY],
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    public, _, private = made.stdout.partition("\n")
    assert private.startswith("-----BEGIN EC PRIVATE KEY-----\n")
    key = serialization.load_pem_private_key(private.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert thumbprint_of(public) == by_the_library(key)
    assert list(tmp_path.iterdir()) == [], "nothing of it stays on this machine"
