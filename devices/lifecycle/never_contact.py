"""*Never contact*: a third state beside the two opt-outs, which nothing overrides, operational messages included.

The gate cancels what it meets, popups are not leased, and nobody enters a campaign: each of these asks the person's row
at its own moment. What waits when the mark is set is ended here, and the journeys by campaigns.services.never_contact,
which is what callers use.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from django.db import transaction

from devices.delivery.services.cancelling import end_users_cancel
from devices.people.models import ConsentRecord
from devices.popups.offers import offers_withdraw
from smartpush.common.database import statements

By = Literal["staff", "platform"]
REASON = "never_contact"

# FOR UPDATE, which excludes the FOR KEY SHARE of who is entering a campaign with them: either they are entered before
# and their journey is seen and ended, or the mark is seen and they are not.
_MARK = """
WITH held AS MATERIALIZED (
    SELECT id FROM devices_enduser WHERE brand_id = %(brand)s AND id = ANY(%(ids)s) AND never_contact <> %(on)s
    ORDER BY id FOR UPDATE)
UPDATE devices_enduser u SET never_contact = %(on)s FROM held WHERE u.id = held.id RETURNING u.id
"""


@transaction.atomic
def never_contact_set(*, brand_id: int, end_user_ids: Sequence[int], on: bool, by: By, now: datetime) -> list[int]:
    """Mark these end users of the brand, or take the mark away; return the ids of those who were not so before.

    Setting it cancels their waiting messages and ends their open popups; each change is kept as proof.
    """
    changed = sorted(statements.column(_MARK, {"brand": brand_id, "ids": list(end_user_ids), "on": on}))
    if not changed:
        return []
    if on:
        end_users_cancel(end_user_ids=changed, reason=REASON, now=now)
        offers_withdraw(end_user_ids=changed, now=now)
    ConsentRecord.objects.bulk_create(
        [
            ConsentRecord(
                brand_id=brand_id,
                end_user_id=person,
                subject=ConsentRecord.Subject.NEVER_CONTACT,
                answer="set" if on else "lifted",
                by=by,
                at=now,
            )
            for person in changed
        ]
    )
    return changed
