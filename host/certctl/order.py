"""A certificate from the CA: the protocol is that of `acme`, certbot's own library."""

from __future__ import annotations

import ssl
import time
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from .chain import ORDERED_FROM, Chain, current_time, parse_chain, read_key
from .console import CertificateError
from .settings import Settings, SiteSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    import requests
    from acme import client, messages
    from josepy.jwk import JWKEC

    T = TypeVar("T")

# The library takes half a second to import, so that happens only where the CA is asked.

#: For all steps of an order; the CA asks from several places.
SECONDS_FOR_AN_ORDER = 90
SECONDS_FOR_A_REQUEST = 20
#: Half of all nonces may be bad, and an order still succeeds nearly always.
MOST_NONCES = 12


def seconds_in(retry_after: str | None) -> float | None:
    """Seconds of a `Retry-After` header, which has a number or a date (RFC 9110, 10.2.3)."""
    if not retry_after:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        return max((parsedate_to_datetime(retry_after) - current_time()).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def account_key(settings: Settings) -> JWKEC:
    from josepy.jwk import JWKEC
    from josepy.util import ComparableECKey

    return JWKEC(key=ComparableECKey(read_key(settings.account_key)))


def thumbprint(settings: Settings) -> str:
    """Of the account's key (RFC 7638): nginx adds it to each token."""
    from cryptography.hazmat.primitives import hashes
    from josepy.json_util import encode_b64jose

    return encode_b64jose(account_key(settings).thumbprint(hash_function=hashes.SHA256))


class Network:
    """The library's connection to the CA.

    It asks more than once again for a nonce, as a busy CA may want, and `retry_after` has what
    the last answer said of it, in seconds.
    """

    def __init__(self, settings: Settings) -> None:
        from acme import client
        from josepy.jwa import ES256

        self.retry_after: float | None = None
        self.library = client.ClientNetwork(
            account_key(settings),
            alg=ES256,
            user_agent="slipway",
            timeout=SECONDS_FOR_A_REQUEST,
            # The system's own, which also has the CA of a company's network.
            verify_ssl=ssl.get_default_verify_paths().cafile or True,  # type: ignore[arg-type]
        )
        self._post_once = self.library.post
        self.library.post = self._post  # type: ignore[method-assign]
        self.library.session.hooks["response"].append(self._note)

    def _post(self, *args: Any, **kwargs: Any) -> requests.Response:
        from acme import messages

        for _ in range(MOST_NONCES):
            try:
                return self._post_once(*args, **kwargs)
            except messages.Error as error:
                if error.code != "badNonce":
                    raise
        return self._post_once(*args, **kwargs)

    def _note(self, answer: requests.Response, **_: object) -> None:
        self.retry_after = seconds_in(answer.headers.get("Retry-After"))

    def acme(self, settings: Settings) -> client.ClientV2:
        from acme import client

        directory = client.ClientV2.get_directory(settings.acme_server, self.library)
        return client.ClientV2(directory, self.library)


def order_chain(settings: Settings, site: SiteSettings) -> Chain:
    """Order a certificate for all names of a site.

    Raises:
        CertificateError: the CA cannot be reached, or refuses.
    """
    network = Network(settings)
    return explained(network, lambda: _ordered(settings, site, network))


def explained(network: Network, ask: Callable[[], T]) -> T:
    """What the CA gives, or an error that a person can read."""
    from acme import errors, messages

    try:
        return ask()
    except errors.ValidationError as error:
        reason = "; ".join(map(_refusal, error.failed_authzrs))
    except messages.Error as error:
        reason = f"the CA says: {error.detail or error.description or error.typ}"
    except errors.TimeoutError:
        reason = f"the CA was not done after {SECONDS_FOR_AN_ORDER} s"
    except stumbles() as error:
        reason = f"the CA cannot be asked: {error or type(error).__name__}"
    failure = CertificateError(reason)
    failure.retry_after = network.retry_after
    raise failure


def stumbles() -> tuple[type[Exception], ...]:
    """How the library ends where what answers is no CA, or answers nothing of the protocol's."""
    import requests
    from acme import errors
    from josepy.errors import Error

    of_any_json = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
    return (errors.Error, Error, requests.RequestException, *of_any_json)


def _ordered(settings: Settings, site: SiteSettings, network: Network) -> Chain:
    from acme import crypto_util, messages

    acme = network.acme(settings)
    register(acme, settings.email)
    request = crypto_util.make_csr(site.key.read_bytes(), list(site.names))
    order = acme.new_order(request, profile_of(acme.directory))
    for authorization in order.authorizations:
        if authorization.body.status == messages.STATUS_PENDING:
            challenge = _http_challenge(authorization)
            acme.answer_challenge(challenge, challenge.response(account_key(settings)))
    # The library's own pauses are a whole second each.
    deadline = datetime.now() + timedelta(seconds=SECONDS_FOR_AN_ORDER)
    while _is_pending(acme, order) and datetime.now() < deadline:
        time.sleep(0.1)
    done = acme.poll_and_finalize(order, deadline)
    chain = parse_chain(f"{ORDERED_FROM}{settings.acme_server}\n{done.fullchain_pem}")
    if chain is None:
        raise CertificateError("the CA's answer has no certificate in it")
    return chain


def _is_pending(acme: client.ClientV2, order: messages.OrderResource) -> bool:
    from acme import messages

    polled = [acme.poll(each)[0] for each in order.authorizations]
    return any(each.body.status == messages.STATUS_PENDING for each in polled)


def register(acme: client.ClientV2, email: str) -> None:
    """Every time: an account that exists is found by its key, and one that the CA lost is made."""
    from acme import errors, messages

    wanted = messages.NewRegistration.from_data(email=email or None, terms_of_service_agreed=True)
    try:
        acme.new_account(wanted)
    except errors.ConflictError as error:
        acme.net.account = messages.RegistrationResource(uri=error.location, body=wanted)


def profile_of(directory: messages.Directory) -> str | None:
    """The CA's classic profile, where it has several: some choose any other if none is named."""
    try:
        profiles = directory.meta.profiles or {}
    except (AttributeError, KeyError):
        return None
    return next((each for each in ("classic", "default") if each in profiles), None)


def _http_challenge(authorization: messages.AuthorizationResource) -> messages.ChallengeBody:
    from acme import challenges

    for each in authorization.body.challenges:
        if isinstance(each.chall, challenges.HTTP01):
            return each
    name = authorization.body.identifier.value
    raise CertificateError(f"the CA does not ask for {name} over HTTP")


def _refusal(authorization: messages.AuthorizationResource) -> str:
    name = authorization.body.identifier.value
    for each in authorization.body.challenges:
        if each.error is not None:
            return f"the CA says of {name}: {each.error.detail or each.error.typ}"
    return f"the CA refuses {name}"


def renewal_time(settings: Settings, chain: Chain) -> tuple[datetime | None, datetime]:
    """When the CA wants it renewed (RFC 9773), and when to ask again; None if it does not say."""
    from acme import errors

    network = Network(settings)
    acme = explained(network, lambda: network.acme(settings))
    try:
        wanted, again = acme.renewal_time(chain.pem.encode())
    except errors.ARIError as error:
        wanted, again = None, error.retry_after
    except stumbles():
        wanted, again = None, datetime.now() + timedelta(hours=6)
    return wanted and wanted.astimezone(), again.astimezone()
