"""Bulk statements lock deliveries in the order of their ids, so that workers and reporting devices never deadlock."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection, connections, transaction

from devices.delivery.sending.claim import Claim, Row
from devices.delivery.sending.results import results_write
from devices.delivery.services.cancelling import dispatches_cancel
from devices.delivery.services.receipts import Receipt, receipts_record
from devices.delivery.transports.base import Outcome, SendResult
from devices.models import Delivery
from smartpush.common.ids import report_token
from tests.support.races import wait_until_blocked

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CLAIM = Claim(chunk_id=1, day=NOW.date(), attempt=1, dispatch_id=1, brand_id=1, content={}, urgency="normal")
ORIGIN = "https://updates.push.services.mozilla.com"


def delivery(state: str) -> Delivery:
    return Delivery.objects.create(
        day=NOW.date(),
        brand_id=1,
        dispatch_id=1,
        end_user_id=1,
        device_id=1,
        origin=ORIGIN,
        state=state,
        chunk_id=1,
        attempt=1,
        tries=1,
        next_attempt_at=NOW,
        expires_at=NOW + timedelta(days=1),
        created_at=NOW,
    )


def record(ids: list[int]) -> None:
    receipts = [Receipt(report_token(one, NOW.date()), "displayed", NOW) for one in ids]
    receipts_record(receipts=receipts, now=NOW)


def write(ids: list[int]) -> None:
    rows = {one: Row(one, 1, 1, "", "", b"", b"", 1, NOW + timedelta(days=1), None, 1, None, "", "", {}) for one in ids}
    results = [SendResult(one, Outcome.ACCEPTED, 201, "") for one in ids]
    results_write(claim=CLAIM, policy="at_least_once", rows=rows, results=results, now=NOW)


def cancel(ids: list[int]) -> None:
    dispatches_cancel(dispatch_ids=[1], reason="campaign_disabled", now=NOW)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("statement", "state"), [(record, "sending"), (write, "sending"), (cancel, "ready")])
def test_the_row_with_the_lower_id_is_locked_first(statement: Callable[[list[int]], None], state: str):
    # The later id comes first in the heap and in the call: whoever follows either order locks it first.
    low, high = delivery(state), delivery(state)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE devices_delivery SET id = -id WHERE id IN (%s, %s)", [low.pk, high.pk])
        cursor.execute("UPDATE devices_delivery SET id = -id WHERE id = %s", [-high.pk])
        cursor.execute("UPDATE devices_delivery SET id = -id WHERE id = %s", [-low.pk])
    pids: list[int] = []
    started = threading.Event()

    def other() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pids.append(cursor.fetchone()[0])
            started.set()
            statement([high.pk, low.pk])
        finally:
            connections.close_all()

    thread = threading.Thread(target=other)
    with transaction.atomic():
        Delivery.objects.select_for_update().get(pk=high.pk)
        thread.start()
        assert started.wait(120)
        wait_until_blocked(pids[0])
        with pytest.raises(OperationalError, match="could not obtain lock"), transaction.atomic():
            Delivery.objects.select_for_update(nowait=True).get(pk=low.pk)
    thread.join(120)
    assert not thread.is_alive()
