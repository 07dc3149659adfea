"""A brand's native apps: the Firebase account that their messages are sent with."""

from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from devices.brands.models import App, Incident
from devices.brands.services.incidents import incident_end
from devices.delivery.push_services.budgets import Target, budget_lift
from devices.delivery.transports.fcm.credentials import ServiceAccount, service_account_read
from devices.installations.tokens import SENDER_MISMATCH, native_origin
from smartpush.common.crypto import decrypt, encrypt


def app_subject(app_id: int) -> str:
    """Name the app's key file, as incidents do."""
    return f"Firebase key file of app {app_id}"


def app_credentials_check(*, text: str) -> ServiceAccount:
    """Read a service account's key file as it would be kept; raises CredentialsRefused, in words for staff."""
    return service_account_read(text, dev_origins=settings.SMARTPUSH_DEV_ORIGINS)


def app_account(*, app: App) -> ServiceAccount | None:
    """The account that an app's messages are sent with, if any; raises CannotDecrypt, CredentialsRefused."""
    if not app.fcm_credentials_encrypted:
        return None
    return app_credentials_check(text=decrypt(app.fcm_credentials_encrypted))


@transaction.atomic
def app_credentials_set(*, app: App, text: str, now: datetime) -> ServiceAccount:
    """Keep a service account's key file, encrypted; what was held for want of it goes out. Raises CredentialsRefused.

    Tokens that the former account could not send to are tried again.
    """
    account = app_credentials_check(text=text)
    app.fcm_project_id, app.fcm_client_email = account.project_id, account.client_email
    app.fcm_credentials_encrypted = encrypt(account.info)
    app.save(update_fields=["fcm_project_id", "fcm_client_email", "fcm_credentials_encrypted"])
    budget_lift(target=Target(native_origin(app.pk), native_origin(app.pk)), now=now)
    values: dict[str, str | int | datetime] = {
        "app": app.pk,
        "brand": app.brand_id,
        "origin": native_origin(app.pk),
        "reason": SENDER_MISMATCH,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RESTORE_SQL, values)
        cursor.execute(_RELEASE_SQL, values)
    incident_end(kind=Incident.Kind.KEY_UNREADABLE, brand_id=app.brand_id, subject=app_subject(app.pk), now=now)
    return account


def app_credentials_remove(*, app: App) -> None:
    """Forget the service account: what is sent to the app waits for another, or expires."""
    app.fcm_project_id = app.fcm_client_email = app.fcm_credentials_encrypted = ""
    app.save(update_fields=["fcm_project_id", "fcm_client_email", "fcm_credentials_encrypted"])


# One device a token, the one seen last; a token that another device has meanwhile stays where it is.
_RESTORE_SQL = """
WITH aside AS MATERIALIZED (
    SELECT DISTINCT ON (v.native_token) v.id, v.holder_id,
           encode(sha256(convert_to(v.native_token, 'UTF8')), 'hex') AS token_hash
    FROM devices_device v
    WHERE v.app_id = %(app)s AND v.token_hash IS NULL AND v.unreachable_reason = %(reason)s
      AND v.native_token <> '' AND v.holder_id IS NOT NULL
    ORDER BY v.native_token, v.last_seen_at DESC
), back AS (
    UPDATE devices_device v SET token_hash = a.token_hash, endpoint_origin = %(origin)s, token_at = %(now)s,
        unreachable_reason = '', unreachable_at = NULL
    FROM aside a
    WHERE v.id = a.id AND NOT EXISTS (
        SELECT 1 FROM devices_device o WHERE o.brand_id = %(brand)s AND o.token_hash = a.token_hash)
    RETURNING v.id, v.holder_id, v.token_hash
)
INSERT INTO devices_tokenholding (device_id, end_user_id, token_hash, since, ended)
SELECT id, holder_id, token_hash, %(now)s, '' FROM back
"""

_RELEASE_SQL = """
WITH held AS MATERIALIZED (
    SELECT d.id, d.day FROM devices_delivery d
    WHERE d.brand_id = %(brand)s AND d.origin = %(origin)s AND d.state = 'ready' AND d.chunk_id IS NULL
      AND d.hold_reason IN ('breaker', 'key_unreadable')
    ORDER BY d.id FOR UPDATE
)
UPDATE devices_delivery d SET next_attempt_at = %(now)s FROM held h WHERE d.id = h.id AND d.day = h.day
"""
