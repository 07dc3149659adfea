"""The FCM wire at the local push service: access tokens, their renewal and their refusal, messages in numbers."""

import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from devices.delivery.transports.base import Outcome, SendRefused
from devices.delivery.transports.fcm import credentials as fcm_credentials
from devices.delivery.transports.fcm.credentials import service_account_read
from devices.delivery.transports.fcm.encoder import NativeMessage, encode
from devices.delivery.transports.fcm.key_files import CredentialsRefused, key_file_text
from devices.delivery.transports.fcm.transport import FcmMessage
from devices.pushservice.server import LocalPushService
from tests.browser.harness.waiting import wait_until
from tests.devices.delivery.transports.senders import FcmSender
from tests.support.native import private_key, service_account


@pytest.fixture(scope="module")
def service():
    with LocalPushService() as service:
        yield service


@pytest.fixture(autouse=True)
def working(service):
    service.clear_failures()


class Clock:
    """It stands still, so that nothing depends on how long the test takes."""

    def __init__(self) -> None:
        self.begun = time.time()
        self.ahead = 0.0

    def __call__(self) -> float:
        return self.begun + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sender(service, clock):
    with FcmSender(dev_origins={service.url}, clock=clock) as sender:
        yield sender


@pytest.fixture
def account(service):
    return service_account_read(service_account(service.url), dev_origins={service.url})


def message(account, token, key=1):
    native = NativeMessage(
        token=token, platform="android", title="Hi", body="There", data={}, tag="t", ttl=60, expires_at=0
    )
    return FcmMessage(key=key, account=account, body=encode(native))


def fetched(sender, account):
    """The access token, once it is there."""
    return wait_until(lambda: sender.fcm._tokens.get(account), timeout=30, what="an access token")


def test_many_messages_go_out_with_one_access_token(service, sender, account, results, monkeypatch):
    asked = []
    exchange = fcm_credentials._exchange
    monkeypatch.setattr(fcm_credentials, "_exchange", lambda one: asked.append(one) or exchange(one))
    tokens = service.fcm_tokens(300)

    sender.send((message(account, token, key) for key, token in enumerate(tokens)), on_result=results)

    assert results.outcomes() == {Outcome.ACCEPTED}
    assert len(results.by_key) == 300
    assert len(asked) == 1
    (first,) = service.messages(token=tokens[0])
    assert first["message"]["notification"] == {"title": "Hi", "body": "There"}


def test_an_access_token_is_renewed_before_it_expires(service, sender, account, clock):
    first = fetched(sender, account)
    clock.ahead = 3600 - 301
    assert fetched(sender, account) == first
    clock.ahead = 3600 - 200

    assert fetched(sender, account) != first


def test_a_refused_access_token_is_not_used_again(service, sender, account, results):
    token = service.fcm_tokens(1)[0]
    before = fetched(sender, account)
    service.fail("fcm:UNAUTHENTICATED", token=token)

    sender.send([message(account, token)], on_result=results)

    assert (results.only.outcome, results.only.reason) == (Outcome.AUTH, "unauthorized")
    assert fetched(sender, account) != before


def test_apns_refusing_the_project_s_key_leaves_the_access_token_alone(service, sender, account, results):
    token = service.fcm_tokens(1)[0]
    before = fetched(sender, account)
    service.fail("fcm:THIRD_PARTY_AUTH_ERROR", token=token)

    sender.send([message(account, token)], on_result=results)

    assert results.only.reason == "apns_credentials_refused"
    assert fetched(sender, account) == before


def test_a_refused_account_is_asked_about_once_in_thirty_seconds(service, sender, account, clock, results):
    service.fail("400", token="oauth", times=1)
    tokens = service.fcm_tokens(3)

    sender.send([message(account, token, key) for key, token in enumerate(tokens)], on_result=results)
    assert {(one.outcome, one.reason) for one in results.all} == {(Outcome.AUTH, "fcm_credentials_refused")}
    clock.ahead = 31.0
    results.all.clear()
    sender.send([message(account, tokens[0])], on_result=results)

    assert results.only.outcome is Outcome.ACCEPTED


def test_two_accounts_share_no_access_token(service, sender, account):
    other = service_account_read(service_account(service.url, private_key_id="2"), dev_origins={service.url})

    assert fetched(sender, account) != fetched(sender, other)


def test_an_app_without_an_account_sends_nothing(service, sender, results):
    sender.send([message(None, service.fcm_tokens(1)[0])], on_result=results)

    assert (results.only.outcome, results.only.reason) == (Outcome.AUTH, "fcm_credentials_missing")


def test_a_local_push_service_is_sent_to_only_where_development_names_it(service, account, results):
    with FcmSender() as sender:
        sender.send([message(account, service.fcm_tokens(1)[0])], on_result=results)

    assert (results.only.outcome, results.only.reason) == (Outcome.REFUSED, "endpoint_host")


def test_googles_account_leads_to_googles_address():
    account = service_account_read(service_account("", token_uri="https://oauth2.googleapis.com/token"))

    assert account.url == "https://fcm.googleapis.com/v1/projects/harbour-books/messages:send"


def test_the_key_shows_in_no_description(account):
    secret = json.loads(account.info)["private_key"][40:80]

    assert secret not in repr(account)
    assert secret not in repr(message(account, "t" * 30))
    assert "t" * 30 not in repr(message(account, "t" * 30))


def test_only_what_is_needed_of_the_file_is_kept(service):
    text = service_account(service.url, universe_domain="evil.example", extra="x")

    assert set(json.loads(service_account_read(text, dev_origins={service.url}).info)) == {
        "type", "project_id", "private_key_id", "private_key", "client_email", "token_uri",
    }  # fmt: skip


def test_a_file_of_brackets_is_refused_like_any_other_that_is_not_json():
    with pytest.raises(CredentialsRefused, match="not JSON"):
        service_account_read("[" * 15_000)


@pytest.mark.parametrize("key", [ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()])
def test_a_key_of_another_kind_than_rsa_is_refused(key):
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    text = service_account("", token_uri="https://oauth2.googleapis.com/token", private_key=pem)
    with pytest.raises(CredentialsRefused, match="RSA"):
        service_account_read(text)


def _changed(pem):
    lines = pem.splitlines(keepends=True)
    return "".join([*lines[:5], *lines[6:]])


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("\ud800", "does not begin with BEGIN PRIVATE KEY"),
        ("-----BEGIN PRIVATE KEY-----\n\ud800", "cut off"),
        ("-----BEGIN PRIVATE KEY-----\n\ud800\n-----END PRIVATE KEY-----", "has characters missing, or others"),
        (private_key().partition("-----END")[0], "cut off"),
        (private_key().replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY"), "protected by a password"),
        (_changed(private_key()), "is missing or was changed"),
        ("", "has no private_key"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_with_the_reason_and_never_thrown_away(key, reason):
    text = service_account("", token_uri=TOKEN_URI, private_key=key)
    with pytest.raises(CredentialsRefused, match=reason) as refusal:
        service_account_read(text)
    assert "Generate a new key" not in str(refusal.value)


TOKEN_URI = "https://oauth2.googleapis.com/token"
FILE = service_account("", token_uri=TOKEN_URI)


@pytest.mark.parametrize(
    "data",
    [
        FILE.encode("utf-8-sig"),
        FILE.encode("utf-16"),
        FILE.encode("utf-16-le"),
        FILE.encode("utf-16-be"),
        ("\n" + FILE + "\r\n").encode(),
        json.dumps(FILE).encode(),
        FILE.replace("\\n", "\\\\n").encode(),
        FILE.replace("\\n", "\\\\\\\\n").encode(),
        FILE.replace("\\n", "\\r\\n").encode(),
        FILE.replace("\\n", "\n").encode(),
        FILE.replace("\\n", "\r\n").encode(),
        FILE.replace("\\n", " ").encode(),
        FILE.replace("\\n", "").encode(),
        FILE.replace(TOKEN_URI, "https://accounts.google.com/o/oauth2/token").encode(),
        FILE.replace(TOKEN_URI, "https://www.googleapis.com/oauth2/v4/token").encode(),
        FILE.replace(TOKEN_URI, TOKEN_URI + "/ ").encode(),
    ],
)
def test_the_same_key_in_other_bytes_is_the_same_account(data):
    assert service_account_read(key_file_text(data)) == service_account_read(FILE)


@pytest.mark.parametrize("data", [b"\xff\xfe{", b"\xff\xfe\x00\xd8", b"\x80abc", b"\x00", b"\xef\xbb\xbf", b""])
def test_bytes_that_are_no_text_are_refused_in_words(data):
    with pytest.raises(CredentialsRefused, match="not JSON"):
        service_account_read(key_file_text(data))


@pytest.mark.parametrize(
    "uri", ["https://accounts.google.com.evil.example/o/oauth2/token", "http://oauth2.googleapis.com/token"]
)
def test_only_googles_own_addresses_are_asked_for_tokens(uri):
    with pytest.raises(CredentialsRefused, match="token_uri is not Google's"):
        service_account_read(FILE.replace(TOKEN_URI, uri))


def test_a_refusal_never_quotes_the_key():
    text = service_account("", token_uri="https://oauth2.googleapis.com/token", private_key="SECRET-WORDS")
    with pytest.raises(CredentialsRefused) as refusal:
        service_account_read(text)

    assert "SECRET-WORDS" not in str(refusal.value)
    assert not issubclass(CredentialsRefused, SendRefused)
