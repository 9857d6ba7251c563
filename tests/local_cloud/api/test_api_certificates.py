"""Stories of certificates: brought along or signed here, renewed, shown by a load balancer."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from local_cloud.api import certificate_renewal
from local_cloud.api.cloud import Cloud
from local_cloud.api.store import Store
from local_cloud.authority import Authority
from local_cloud.machine import Listener
from tests.local_cloud.api.conftest import TOKEN, Api, serving, wait_until
from tests.local_cloud.api.description import Description
from tests.local_cloud.api.memory_hypervisor import MemoryHypervisor
from tests.local_cloud.api.memory_name_server import MemoryNameServer
from tests.local_cloud.api.test_api_load_balancers import ORDER, PASSED, RULE
from tests.local_cloud.api.test_api_pydo import connect

ALL = "/v2/certificates"
BALANCERS = "/v2/load_balancers"
TLS_RULE: dict[str, Any] = RULE | {"entry_protocol": "https", "entry_port": 443}
WISH: dict[str, Any] = {"name": "www", "type": "lets_encrypt", "dns_names": ["www.example.test"]}


class Chain:
    """A root, an intermediate and a leaf, as somebody brings them along."""

    def __init__(self, *, days: int = 30) -> None:
        self.key, self.leaf, self.middle = "", "", ""
        now = datetime.now(UTC)
        root_key, middle_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
        middle = _signed("middle", middle_key, "root", root_key, now + timedelta(days=99))
        leaf = _signed("leaf", key, "middle", middle_key, now + timedelta(days=days))
        self.leaf, self.middle = (
            each.public_bytes(serialization.Encoding.PEM).decode() for each in (leaf, middle)
        )
        self.key = pem(key)

    def order(self, **changes: Any) -> dict[str, Any]:
        whole = {
            "name": "own",
            "private_key": self.key,
            "leaf_certificate": self.leaf,
            "certificate_chain": self.middle,
        }
        return whole | changes


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, password: bytes | None = None) -> str:
    locked = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked
    ).decode()


def _signed(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    end: datetime,
) -> x509.Certificate:
    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, text)])

    return (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=400))
        .not_valid_after(end)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("own.example.test")]), critical=False
        )
        .sign(issuer_key, hashes.SHA256())
    )


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain()


def have_domain(api: Api) -> None:
    """The domain of the names here, if it is not there yet."""
    if api.get("/v2/domains/example.test").status_code == 404:
        api.ok("POST", "/v2/domains", json={"name": "example.test"})


def make(api: Api, **changes: Any) -> dict[str, Any]:
    """A certificate of the cloud's own authority, once it is verified."""
    have_domain(api)
    made = api.ok("POST", ALL, json=WISH | changes)["certificate"]
    wait_until(lambda: read(api, made["id"])["state"] == "verified")
    return read(api, made["id"])


def read(api: Api, identifier: str) -> dict[str, Any]:
    found: dict[str, Any] = api.ok("GET", f"{ALL}/{identifier}")["certificate"]
    return found


def named(api: Api, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.ok("GET", ALL, params={"name": name})["certificates"]
    return found


def balancer(api: Api, *rules: dict[str, Any], **changes: Any) -> dict[str, Any]:
    order = ORDER | {"forwarding_rules": list(rules)} | changes
    made: dict[str, Any] = api.ok("POST", BALANCERS, json=order)["load_balancer"]
    wait_until(lambda: api.ok("GET", f"{BALANCERS}/{made['id']}")["load_balancer"]["ip"])
    return made


def shown(hypervisor: MemoryHypervisor) -> Listener:
    """The port where visitors speak TLS."""
    (of_all,) = hypervisor.network.load_balancers
    (listener,) = (each for each in of_all.listeners if each.certificate)
    return listener


def leaf_of(listener: Listener) -> x509.Certificate:
    assert listener.certificate is not None
    return x509.load_pem_x509_certificate(listener.certificate.pem.encode())


def test_one_that_is_signed_here_is_pending_and_then_verified(api: Api) -> None:
    have_domain(api)
    told = api.ok("POST", ALL, json=WISH)["certificate"]
    assert (told["state"], told["dns_names"]) == ("pending", ["www.example.test"])
    wait_until(lambda: read(api, told["id"])["state"] == "verified")
    made = read(api, told["id"])
    left = datetime.fromisoformat(made["not_after"]) - datetime.now(UTC)
    assert 89 <= left.total_seconds() / 86400 <= 90
    assert (made["id"], made["type"]) == (told["id"], "lets_encrypt")


def test_it_is_signed_by_the_authority_of_the_cloud(
    api: Api, hypervisor: MemoryHypervisor, tmp_path: Path
) -> None:
    made = make(api, dns_names=["example.test", "*.example.test"])
    balancer(api, TLS_RULE | {"certificate_id": made["id"]})
    leaf = leaf_of(shown(hypervisor))
    root = x509.load_pem_x509_certificate(Authority.of(tmp_path).root().encode())
    leaf.verify_directly_issued_by(root)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["example.test", "*.example.test"]
    assert leaf.fingerprint(hashes.SHA1()).hex() == made["sha1_fingerprint"]


def test_one_that_is_brought_along_is_shown_as_it_is(
    api: Api, hypervisor: MemoryHypervisor, chain: Chain
) -> None:
    made = api.ok("POST", ALL, json=chain.order())["certificate"]
    assert (made["state"], made["type"]) == ("verified", "custom")
    assert made["dns_names"] == ["own.example.test"]
    balancer(api, TLS_RULE | {"certificate_id": made["id"]})
    certificate = shown(hypervisor).certificate
    assert certificate is not None
    assert certificate.pem == chain.leaf + chain.middle + chain.key


def test_its_key_is_told_to_nobody(api: Api, chain: Chain) -> None:
    made = api.ok("POST", ALL, json=chain.order())["certificate"]
    everything = api.get(ALL).text + api.get(f"{ALL}/{made['id']}").text + repr(made)
    assert "PRIVATE" not in everything
    message = api.refused(422, "POST", ALL, json=chain.order(private_key=5, name="other"))
    assert "got" not in message


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"name": None}, "name: "),
        ({"private_key": None}, "private_key: required for the type custom"),
        ({"leaf_certificate": None}, "leaf_certificate: required for the type custom"),
        ({"private_key": "no key"}, "private_key: it is no private key in PEM"),
        ({"leaf_certificate": "nothing"}, "leaf_certificate: it is no certificate in PEM"),
        ({"certificate_chain": "nothing"}, "certificate_chain: it is no certificate in PEM"),
        ({"private_key": pem(ec.generate_private_key(ec.SECP256R1()))}, "private_key: it does not"),
        (
            {"private_key": pem(ec.generate_private_key(ec.SECP256R1()), b"password")},
            "private_key: it is locked with a passphrase",
        ),
        (
            {"private_key": pem(rsa.generate_private_key(65537, 1024))},
            "private_key: an RSA key of 1024 bits is too short: 2048 at least",
        ),
        (
            {"certificate_chain": Chain().middle},
            "certificate_chain: its certificate 1 did not sign",
        ),
        ({"dns_names": ["own.example.test"]}, "dns_names: of no use with the type custom"),
        ({"type": "other"}, "type: "),
    ],
)
def test_one_that_does_not_fit_together_is_refused(
    api: Api, chain: Chain, wish: dict[str, Any], reason: str
) -> None:
    assert api.refused(422, "POST", ALL, json=chain.order(**wish)).startswith(reason)
    assert api.ok("GET", ALL)["certificates"] == []


def test_an_expired_one_is_refused(api: Api) -> None:
    message = api.refused(422, "POST", ALL, json=Chain(days=-1).order())
    assert message.startswith("leaf_certificate: it has expired (")


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({"dns_names": []}, "dns_names: required for the type lets_encrypt"),
        ({"dns_names": ["a b"]}, "dns_names.0: "),
        ({"dns_names": ["www.example.test", "localhost"]}, "dns_names.1: "),
        ({"private_key": "x"}, "private_key: of no use with a certificate of the type lets"),
    ],
)
def test_a_wish_without_names_is_refused(api: Api, wish: dict[str, Any], reason: str) -> None:
    assert api.refused(422, "POST", ALL, json=WISH | wish).startswith(reason)


def test_a_name_needs_a_domain_of_the_account(api: Api) -> None:
    have_domain(api)
    names = ["www.example.test", "www.example.org"]
    message = api.refused(422, "POST", ALL, json=WISH | {"dns_names": names})
    assert message == "dns_names.1: there is no domain for 'www.example.org' in this account"
    assert api.ok("GET", ALL)["certificates"] == []
    make(api, dns_names=["EXAMPLE.test", "*.deep.example.test"])


def test_a_name_is_given_once_and_found_by_itself(api: Api) -> None:
    made = make(api)
    make(api, name="other")
    assert named(api, "www") == [made]
    assert named(api, "nobody") == []
    message = api.refused(422, "POST", ALL, json=WISH)
    assert message == "name: there is already a certificate named 'www'"


def test_one_in_use_is_not_deleted(api: Api) -> None:
    made = make(api)
    in_front = balancer(api, RULE, TLS_RULE | {"certificate_id": made["id"]})
    message = api.refused(403, "DELETE", f"{ALL}/{made['id']}")
    assert "Make sure the certificate is not in use before deleting it" in message
    api.ok("DELETE", f"{BALANCERS}/{in_front['id']}")
    api.ok("DELETE", f"{ALL}/{made['id']}")
    api.refused(404, "GET", f"{ALL}/{made['id']}")
    api.refused(404, "DELETE", f"{ALL}/{made['id']}")


def test_a_renewal_changes_the_id_and_not_the_name_and_the_rules_follow(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    before = make(api)
    in_front = balancer(api, RULE, TLS_RULE | {"certificate_id": before["id"]})
    first = leaf_of(shown(hypervisor))

    api.ok("POST", "/local/certificates/www/renew")

    (after,) = named(api, "www")
    assert after["id"] != before["id"]
    assert after["sha1_fingerprint"] != before["sha1_fingerprint"]
    assert (after["dns_names"], after["created_at"]) == (before["dns_names"], before["created_at"])
    api.refused(404, "GET", f"{ALL}/{before['id']}")
    rules = api.ok("GET", f"{BALANCERS}/{in_front['id']}")["load_balancer"]["forwarding_rules"]
    assert [rule["certificate_id"] for rule in rules] == ["", after["id"]]
    assert leaf_of(shown(hypervisor)).serial_number != first.serial_number


def test_only_own_ones_are_renewed(api: Api, chain: Chain) -> None:
    api.ok("POST", ALL, json=chain.order())
    message = api.refused(422, "POST", "/local/certificates/own/renew")
    assert message.startswith("name: the certificate 'own' is custom and verified")
    api.refused(404, "POST", "/local/certificates/nobody/renew")


def test_one_that_ends_soon_is_renewed_without_being_asked(
    tmp_path: Path, hypervisor: MemoryHypervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path, hypervisor) as api:
        before = make(api)
        balancer(api, TLS_RULE | {"certificate_id": before["id"]})
    cloud = Cloud(tmp_path, Store(tmp_path / "cloud.db"), hypervisor, MemoryNameServer())
    assert certificate_renewal.due(cloud) == []
    with cloud.store.write() as db:
        soon = f"{datetime.now(UTC) + timedelta(days=29):%Y-%m-%dT%H:%M:%SZ}"
        db.execute("UPDATE certificates SET not_after = ?", (soon,))
    with serving(tmp_path, hypervisor) as api:
        wait_until(lambda: named(api, "www")[0]["id"] != before["id"])
        (after,) = named(api, "www")
        assert shown(hypervisor).certificate is not None
        wait_until(lambda: getattr(shown(hypervisor).certificate, "id", "") == after["id"])


def test_one_that_was_pending_when_the_cloud_ended_is_finished(
    tmp_path: Path, hypervisor: MemoryHypervisor
) -> None:
    with serving(tmp_path, hypervisor) as api:
        made = make(api)
    with Store(tmp_path / "cloud.db").write() as db:
        db.execute("UPDATE certificates SET state = 'pending', chain = '', private_key = ''")
    with serving(tmp_path, hypervisor) as api:
        wait_until(lambda: read(api, made["id"])["state"] == "verified")


def test_a_rule_waits_for_its_certificate(api: Api, tmp_path: Path) -> None:
    made = make(api)
    with Store(tmp_path / "cloud.db").write() as db:
        db.execute("UPDATE certificates SET state = 'pending'")
    rule = TLS_RULE | {"certificate_id": made["id"]}
    message = api.refused(422, "POST", BALANCERS, json=ORDER | {"forwarding_rules": [rule]})
    assert message == f"forwarding_rules.0.certificate_id: the certificate {made['id']} is pending"


def test_rules_of_each_kind_are_what_the_hosts_are_told(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    identifier = make(api)["id"]
    shows = {"certificate_id": identifier}
    balancer(
        api,
        RULE,
        TLS_RULE | shows,
        TLS_RULE | shows | {"entry_port": 444, "entry_protocol": "http2"},
        TLS_RULE | shows | {"entry_port": 445, "target_protocol": "https"},
        PASSED | {"entry_port": 446},
        PASSED | {"entry_port": 447, "entry_protocol": "http2", "target_protocol": "http2"},
        redirect_http_to_https=True,
        tls_cipher_policy="STRONG",
    )
    (of_all,) = hypervisor.network.load_balancers
    assert of_all.only_strong_ciphers
    told = [
        (
            listener.port,
            listener.protocol,
            getattr(listener.certificate, "id", None),
            listener.offers_http2,
            listener.target_protocol,
            listener.redirects_to_https,
        )
        for listener in of_all.listeners
    ]
    assert told == [
        (80, "http", None, False, "http", True),
        (443, "http", identifier, False, "http", False),
        (444, "http", identifier, True, "http", False),
        (445, "http", identifier, False, "https", False),
        (446, "tcp", None, False, "http", False),
        (447, "tcp", None, False, "http", False),
    ]


def test_a_rule_with_a_certificate_is_added_and_removed_by_itself(
    api: Api, hypervisor: MemoryHypervisor
) -> None:
    made = make(api)
    in_front = balancer(api, RULE)
    path = f"{BALANCERS}/{in_front['id']}/forwarding_rules"
    rule = TLS_RULE | {"certificate_id": made["id"]}
    message = api.refused(
        422, "POST", path, json={"forwarding_rules": [rule | {"certificate_id": "none"}]}
    )
    assert message == "forwarding_rules.0.certificate_id: there is no certificate 'none'"
    api.ok("POST", path, json={"forwarding_rules": [rule]})
    assert getattr(shown(hypervisor).certificate, "id", None) == made["id"]
    api.delete_with_body(path, {"forwarding_rules": [rule]})
    api.ok("DELETE", f"{ALL}/{made['id']}")


def test_a_redirect_needs_something_to_lead_to(api: Api) -> None:
    order = ORDER | {"redirect_http_to_https": True}
    elsewhere = order | {"forwarding_rules": [RULE, PASSED | {"entry_port": 8443}]}
    for wish in (order, elsewhere):
        message = api.refused(422, "POST", BALANCERS, json=wish)
        assert message.startswith("redirect_http_to_https: there is no forwarding rule for https")
    passed_on = order | {"forwarding_rules": [RULE, PASSED]}
    assert api.ok("POST", BALANCERS, json=passed_on)["load_balancer"]["redirect_http_to_https"]


def test_every_operation_is_answered_as_described(
    api: Api, described: Description | None, chain: Chain
) -> None:
    if described is None:
        pytest.skip("DigitalOcean's description is not there")
    made = make(api)
    api.ok("POST", ALL, json=chain.order())
    assert set(made) >= described.properties("certificate")
    assert api.ok("GET", ALL, params={"per_page": 1})["meta"]["total"] == 2
    api.ok("DELETE", f"{ALL}/{made['id']}")
    assert described.operations({"certificates"}) <= api.exercised


def test_the_official_client_gets_a_certificate_and_gives_it_back(api: Api) -> None:
    have_domain(api)
    client = connect(api, TOKEN)
    made = client.certificates.create(WISH)["certificate"]
    wait_until(lambda: client.certificates.get(made["id"])["certificate"]["state"] == "verified")
    assert [one["id"] for one in client.certificates.list(name="www")["certificates"]] == [
        made["id"]
    ]
    client.certificates.delete(made["id"])
    assert client.certificates.list()["certificates"] == []


def test_two_renewals_at_once_leave_one_certificate(api: Api) -> None:
    make(api)
    answers: list[int] = []

    def ask() -> None:
        answers.append(api.post("/local/certificates/www/renew").status_code)

    visitors = [threading.Thread(target=ask) for _ in range(2)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert 200 in answers
    assert len(named(api, "www")) == 1
