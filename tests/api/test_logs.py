"""What the logs say of calls that carry secrets, from the real logging set-up."""

import io
import logging

import pytest
from django.db import IntegrityError, connection

from smartpush.common.observability.logs import configure
from tests.api.page import Page


@pytest.fixture
def logged(settings):
    """Everything that the process would write to standard error, debug messages included."""
    configure({"level": "DEBUG", "json": True})
    (handler,) = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    written = io.StringIO()
    handler.setStream(written)
    yield written
    configure(settings.LOGGING)


def secrets_of(page: Page) -> list[str]:
    subscription = page.push["subscription"]
    path = subscription["endpoint"].split("/", 3)[3]
    return [page.installation["secret"], path, path.split("/")[-1], subscription["auth"], subscription["p256dh"]]


def test_sessions_refusals_and_failures_leave_no_secret_behind(page, logged):
    page.session()
    page.allow()
    page.session(external_id="ann", identity_token="eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl")
    secrets = [*secrets_of(page), "eyJzdWIiOiJhbm4ifQ"]
    page.session(external_id={}, expect=400)
    thief = Page(page.brand, page.origin, installation={"id": page.installation["id"], "secret": "w" * 43})
    thief.session(expect=401)

    # What PostgreSQL says of a row that a constraint refuses: its values, bytes in hex.
    subscription = page.subscription
    row = f"(7, {subscription.endpoint}, \\x{subscription.p256dh.hex()}, \\x{subscription.auth.hex()}, {secrets[0]})"
    secrets += [subscription.p256dh.hex(), subscription.auth.hex()]

    def broken(execute, sql, params, many, context):
        raise IntegrityError(f"Failing row contains {row}")

    with connection.execute_wrapper(broken), pytest.raises(IntegrityError):
        page.send("session", {"installation": page.installation, "push": page.push, "external_id": "ann"})
    logging.getLogger("elsewhere").warning("posting to %s", page.push["subscription"]["endpoint"])
    text = logged.getvalue()
    assert "Failing row" in text
    assert "posting to https://updates.push.services.mozilla.com/[redacted]" in text
    assert [secret for secret in secrets if secret in text] == []
