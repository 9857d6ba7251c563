"""What certctl reads in a chain, and which one it would serve."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from host.certctl.chain import Chain, parse_chain, read_chain, read_key
from host.certctl.console import CertificateError
from host.certctl.placeholder import placeholder
from tests.unit.certctl_ca import ACME, NAMES, NOW, Ca, key_text, new_key, pem

CA, KEY = Ca(), new_key()
GOOD = CA.chain(KEY)


def problem(chain: Chain, names: tuple[str, ...] = NAMES) -> str:
    return chain.problem(KEY, set(names), NOW + timedelta(days=1))


def test_a_chain_of_the_ca_can_be_served() -> None:
    assert problem(GOOD) == ""
    assert problem(GOOD, ("shop.example",)) == "", "it may be for more names"
    assert (GOOD.names, GOOD.issuer, GOOD.acme_server) == (set(NAMES), "Test CA", ACME)
    assert GOOD.serial == f"{GOOD.leaf.serial_number:x}"
    assert not GOOD.is_placeholder
    assert (GOOD.begins, GOOD.ends) == (NOW, NOW + timedelta(days=90))
    lefts = [GOOD.life_left(NOW + timedelta(days=days)) for days in (0, 60, 90, 99)]
    assert lefts == pytest.approx([1, 1 / 3, 0, -0.1])


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        (CA.chain(new_key()), "it is of another key"),
        (CA.chain(rsa.generate_private_key(65537, 2048)), "it is of another key"),
        (CA.chain(KEY, ("shop.example",)), "it is not for www.shop.example"),
        (CA.chain(KEY, ()), "it is not for shop.example, www.shop.example"),
        (CA.chain(KEY, days=1), "it ran out at 2026-11-30 12:00 UTC"),
        (placeholder(KEY, NAMES, NOW), "it is a placeholder"),
        (
            Chain(pem(GOOD.leaf) + pem(Ca().certificate)),
            "its certificates are not signed by each other",
        ),
        (
            Chain(pem(GOOD.leaf) + pem(GOOD.leaf)),
            "its certificates are not signed by each other",
        ),
        (
            Chain(pem(CA.certificate) + pem(GOOD.leaf)),
            "it is a placeholder",
        ),
    ],
)
def test_what_cannot_be_served_says_why(chain: Chain, said: str) -> None:
    assert problem(chain) == said


def test_a_clock_that_is_behind_is_no_fault_of_the_certificate() -> None:
    assert GOOD.problem(KEY, set(NAMES), NOW - timedelta(days=2)) == ""


def test_who_it_was_ordered_from_is_known_only_where_it_is_noted() -> None:
    assert CA.chain(KEY, ordered_from="").acme_server == ""
    assert Chain("\n" + GOOD.pem).acme_server == ACME
    assert Chain(pem(GOOD.leaf) + "# ordered from elsewhere\n").acme_server == ""


def test_every_certificate_has_a_fingerprint_of_its_own() -> None:
    assert GOOD.fingerprint == Chain(pem(GOOD.leaf)).fingerprint
    assert GOOD.fingerprint != CA.chain(KEY).fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no certificate",
        GOOD.pem[:300],
        GOOD.pem[:-40],
        GOOD.pem.removesuffix("-----\n"),
        GOOD.pem.replace("MII", "MI!", 1),
        key_text(KEY),
    ],
)
def test_a_text_that_is_no_whole_chain_is_none(text: str) -> None:
    assert parse_chain(text) is None


def test_a_file_that_cannot_be_read_is_no_chain(tmp_path: Path) -> None:
    path = tmp_path / "chain.pem"
    assert read_chain(path) is None
    path.write_bytes(b"\xff\xfe")
    assert read_chain(path) is None
    assert read_chain(tmp_path) is None
    path.write_text(GOOD.pem)
    assert read_chain(path) == GOOD


def test_a_placeholder_is_for_all_names_and_lasts_for_years() -> None:
    made = placeholder(KEY, NAMES, NOW)
    assert made.is_placeholder
    assert made.names == set(NAMES)
    assert made.begins < NOW < NOW + timedelta(days=3600) < made.ends
    assert made.acme_server == ""
    made.leaf.verify_directly_issued_by(made.leaf)
    assert parse_chain(made.pem) == made


def test_a_key_is_one_of_an_elliptic_curve(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(CertificateError, match="no private key can be read: FileNotFoundError"):
        read_key(path)
    path.write_text(key_text(rsa.generate_private_key(65537, 2048)))
    with pytest.raises(CertificateError, match="must be a key of an elliptic curve"):
        read_key(path)
    path.write_text("PRIVATE KEY of nobody")
    with pytest.raises(CertificateError, match="no private key can be read: ValueError") as caught:
        read_key(path)
    assert "nobody" not in str(caught.value)
    path.write_text(key_text(KEY))
    assert read_key(path).private_numbers() == KEY.private_numbers()
