"""Send the test push of an installation check to the browser that subscribed last."""

import secrets
from datetime import datetime

from django.db import transaction

from devices.brands.models import App
from devices.delivery.models import Dispatch, Lane
from devices.delivery.services.dispatches import DispatchSpec, dispatches_ensure
from devices.delivery.services.outbox import chunks_cut, deliveries_add
from devices.lifecycle.site_check.findings import live_of, test_key

_LIFETIME = 600  # seconds: a test that comes later is of no use


class CannotTest(Exception):
    """A refusal, in words for staff."""


@transaction.atomic
def site_test_send(*, app: App, now: datetime) -> int:
    """Send a test push to the website's newest subscriber, and to no other device; raises CannotTest."""
    if app.archived_at is not None:
        raise CannotTest("Nothing was sent: the website is archived.")
    if app.brand.sending_stopped_at is not None:
        raise CannotTest("Nothing was sent: all sending of the brand is stopped.")
    device = live_of(app=app, now=now).subscriber
    if device is None or device.holder_id is None:
        raise CannotTest("Nothing was sent: no browser has subscribed yet. Allow notifications on the website first.")
    key = test_key(app) + secrets.token_urlsafe(9)
    words = {
        "title": "It works",
        "message": f"This is the test push of {app.name}.",
        "url": "",
        "buttons": [],
    }
    spec = DispatchSpec(
        brand_id=app.brand_id,
        day=now.date(),
        source=Dispatch.Source.TEST,
        source_key=key,
        content={"kind": "push", "default_language": "en", "variants": {"en": words}},
        label=f"Installation check of {app.name}"[:200],
        purpose=Dispatch.Purpose.OPERATIONAL,
        lane=Lane.URGENT,
        ttl=_LIFETIME,
    )
    dispatch_id = dispatches_ensure(specs=[spec], now=now)[(app.brand_id, now.date(), key)]
    made = deliveries_add(
        dispatch_id=dispatch_id, end_user_id=device.holder_id, device_id=device.pk, request_key=key, now=now
    )
    if not made:
        raise CannotTest("Nothing was sent: the newest subscriber is not reachable any more, or is never contacted.")
    chunks_cut(now=now, dispatch_ids=[dispatch_id])
    return made[0]
