"""A Firebase service account: read from the file that Google gives out, and exchanged for access tokens (RFC 7523)."""

import functools
import hashlib
import json
import re
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Final

import requests
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from firebase_admin import credentials
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import Request as GoogleRequest

from devices.delivery.transports.base import Outcome
from devices.delivery.transports.fcm.key_files import TOKEN_URI, CredentialsRefused, key_file_fields
from devices.delivery.transports.outcomes import Verdict

FCM_ORIGIN: Final = "https://fcm.googleapis.com"
RENEW_BEFORE = 300.0
"""Seconds before its expiry (an hour) at which an access token is no longer used."""
ASK_AGAIN_AFTER = 30.0
"""Seconds for which a refused or failed exchange is not tried again."""
EXCHANGE_TIMEOUT = 10.0
MAX_FILE = 16_384

_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{2,99}")
_EMAIL = re.compile(r"[A-Za-z0-9._-]{1,100}@[A-Za-z0-9.-]{1,150}")


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Whose FCM project is sent to, and the proof; `origin` is FCM's, or a local push service's in development."""

    project_id: str
    client_email: str
    origin: str
    info: str = field(repr=False)

    @property
    def url(self) -> str:
        """Where messages go (FCM HTTP v1, projects.messages.send)."""
        return f"{self.origin}/v1/projects/{self.project_id}/messages:send"

    @property
    def fingerprint(self) -> str:
        """Names this very key, so that a replaced one never shares an access token with the old."""
        return hashlib.sha256(self.info.encode()).hexdigest()


def service_account_read(text: str, *, dev_origins: Collection[str] = frozenset()) -> ServiceAccount:
    """Check the JSON of a service account's key file; raises CredentialsRefused.

    Its token address must be Google's: we call it from our network. In development it may be that of a local push
    service, at one of `dev_origins`; then the messages go there too.
    """
    if len(text.encode()) > MAX_FILE:
        raise CredentialsRefused("This file is too large for a service account key.")
    fields = key_file_fields(text)
    origin = _origin_of(fields["token_uri"], dev_origins)
    if not _PROJECT.fullmatch(fields["project_id"]) or not _EMAIL.fullmatch(fields["client_email"]):
        raise CredentialsRefused("The project id or the account's address in the file is malformed.")
    info = {"type": "service_account"} | fields
    try:
        key = load_pem_private_key(info["private_key"].encode(), password=None)
        credentials.Certificate(info)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # its text would quote the key
        raise CredentialsRefused(
            "The private key in the file is not one: a part of it is missing or was changed. Choose the file as Google"
            " made it."
        ) from None
    if not isinstance(key, RSAPrivateKey):  # FCM takes RS256 alone, and every sending would end in a refusal
        raise CredentialsRefused(
            "The private key in the file is not an RSA key, which Firebase needs. Choose a key file of Firebase."
        )
    return ServiceAccount(fields["project_id"], fields["client_email"], origin, json.dumps(info, sort_keys=True))


def _origin_of(token_uri: str, dev_origins: Collection[str]) -> str:
    if token_uri == TOKEN_URI:
        return FCM_ORIGIN
    local = token_uri.removesuffix("/token")
    if local != token_uri and local in dev_origins:
        return local
    raise CredentialsRefused(
        f"The file's token_uri is not Google's: it must be {TOKEN_URI}. Choose the file as Google made it."
    )


class AccessTokens:
    """Access tokens by service account, each kept until shortly before it expires; for one process.

    They are fetched by a thread of their own, so that a token endpoint that does not answer holds up nobody else.
    """

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._tokens: dict[str, tuple[float, str]] = {}
        self._failures: dict[str, tuple[float, Verdict]] = {}
        self._fetching: dict[str, Future[tuple[float, str] | Verdict]] = {}
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="access-tokens")

    def close(self) -> None:
        """Fetch nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def get(self, account: ServiceAccount) -> str | Verdict | None:
        """Return an access token, the verdict on all messages of this account for now, or None while it is fetched."""
        name, now = account.fingerprint, self._clock()
        use_until, token = self._tokens.get(name, (0.0, ""))
        if now < use_until:
            return token
        failed_until, verdict = self._failures.get(name, (0.0, None))
        if verdict is not None and now < failed_until:
            return verdict
        fetching = self._fetching.get(name)
        if fetching is None:
            self._fetching[name] = self._threads.submit(_exchange, account)
            return None
        if not fetching.done():
            return None
        del self._fetching[name]
        answer = fetching.result()
        if isinstance(answer, Verdict):
            self._failures[name] = (now + ASK_AGAIN_AFTER, answer)
            return answer
        self._failures.pop(name, None)
        self._tokens[name] = answer
        return answer[1]

    def forget(self, account: ServiceAccount) -> None:
        """Drop a token that FCM refused: it was revoked, or the account lost its right."""
        self._tokens.pop(account.fingerprint, None)


def _exchange(account: ServiceAccount) -> tuple[float, str] | Verdict:
    """Ask Google for an access token: until when to use it (Unix seconds) and the token, or why there is none."""
    with requests.Session() as session:
        session.trust_env = False
        session.max_redirects = 0
        request = functools.partial(GoogleRequest(session), timeout=EXCHANGE_TIMEOUT)
        credential: Any = credentials.Certificate(json.loads(account.info)).get_credential()
        try:
            credential.refresh(request)
        except (RefreshError, TransportError) as problem:
            if isinstance(problem, TransportError) or problem.retryable:
                return Verdict(Outcome.HELD, "fcm_token_unavailable", retry_after=ASK_AGAIN_AFTER)
            return Verdict(Outcome.AUTH, "fcm_credentials_refused")
        except GoogleAuthError:
            return Verdict(Outcome.AUTH, "fcm_credentials_refused")
    return credential.expiry.replace(tzinfo=UTC).timestamp() - RENEW_BEFORE, credential.token
