"""As much of an ACME client (RFC 8555) as one order with HTTP-01 takes, to try a server with."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

TRIES = 20
"""The server refuses some good nonces, as a client has to survive that."""


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class AcmeClient:
    """One account, made anew."""

    def __init__(self, directory: str, roots: Path) -> None:
        context = ssl.create_default_context(cafile=str(roots))
        self._http = httpx.Client(verify=context, trust_env=False)
        self._directory = self._http.get(directory).json()
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._account = ""
        made = self._post(self._directory["newAccount"], {"termsOfServiceAgreed": True})
        self._account = made.headers["location"]

    def order(self, name: str, publish: Callable[[str, str], None]) -> tuple[str, str]:
        """A key and the chain for a name; `publish` makes a token answer with a text."""
        order = self._post(
            self._directory["newOrder"], {"identifiers": [{"type": "dns", "value": name}]}
        )
        address = order.headers["location"]
        authorization = self._post(order.json()["authorizations"][0], None).json()
        challenge = next(one for one in authorization["challenges"] if one["type"] == "http-01")
        publish(challenge["token"], f"{challenge['token']}.{self._thumbprint()}")
        self._post(challenge["url"], {})
        self._wait(address, "ready")
        key = ec.generate_private_key(ec.SECP256R1())
        request = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name([]))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, hashes.SHA256())
        )
        der = request.public_bytes(serialization.Encoding.DER)
        self._post(order.json()["finalize"], {"csr": _encoded(der)})
        chain = self._post(self._wait(address, "valid")["certificate"], None).text
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return pem.decode(), chain

    def _wait(self, order: str, status: str) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while True:
            told: dict[str, Any] = self._post(order, None).json()
            if told["status"] == status:
                return told
            assert told["status"] in ("pending", "processing", "ready"), self._reasons(told)
            assert time.monotonic() < deadline, told
            time.sleep(0.1)

    def _reasons(self, order: dict[str, Any]) -> list[Any]:
        return [self._post(each, None).json() for each in order["authorizations"]]

    def _post(self, url: str, payload: Any) -> httpx.Response:
        """A signed request (RFC 8555, 6.2); one whose nonce was refused is repeated."""
        for _ in range(TRIES):
            nonce = self._http.head(self._directory["newNonce"]).headers["replay-nonce"]
            protected: dict[str, Any] = {"alg": "ES256", "nonce": nonce, "url": url}
            protected |= {"kid": self._account} if self._account else {"jwk": self._jwk()}
            head = _encoded(json.dumps(protected).encode())
            body = "" if payload is None else _encoded(json.dumps(payload).encode())
            der = self._key.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
            signature = b"".join(part.to_bytes(32, "big") for part in decode_dss_signature(der))
            answer = self._http.post(
                url,
                content=json.dumps(
                    {"protected": head, "payload": body, "signature": _encoded(signature)}
                ),
                headers={"content-type": "application/jose+json"},
            )
            if answer.is_success:
                return answer
            assert answer.json()["type"].endswith(":badNonce"), answer.text
        raise AssertionError("no nonce was good enough")

    def _jwk(self) -> dict[str, str]:
        numbers = self._key.public_key().public_numbers()
        x, y = (_encoded(each.to_bytes(32, "big")) for each in (numbers.x, numbers.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}

    def _thumbprint(self) -> str:
        text = json.dumps(self._jwk(), separators=(",", ":"), sort_keys=True)
        return _encoded(hashlib.sha256(text.encode()).digest())
