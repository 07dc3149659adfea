"""reports over HTTP: the delivery's token is the only proof."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.delivery.services.dispatches import DispatchSpec, dispatches_ensure
from devices.delivery.services.outbox import deliveries_add
from devices.models import Delivery
from smartpush.common.ids import report_token
from tests.api.page import error_of, post


@pytest.fixture
def delivery(page) -> Delivery:
    page.allow()
    page.session(external_id="ann")
    now = datetime.now(UTC) - timedelta(hours=1)
    spec = DispatchSpec(brand_id=page.brand.pk, day=now.date(), source="test", source_key="t", content={})
    (dispatch_id,) = dispatches_ensure(specs=[spec], now=now).values()
    (pk,) = deliveries_add(dispatch_id=dispatch_id, end_user_id=page.device.holder_id, request_key="r", now=now)
    Delivery.objects.filter(pk=pk).update(state="accepted", tries=1, sent_at=now, finished_at=now)
    return Delivery.objects.get(pk=pk)


def report(delivery: Delivery, kind: str, **fields: str) -> dict[str, str]:
    return {"token": report_token(delivery.pk, delivery.day), "kind": kind} | fields


def send(*reports: dict[str, str]):
    return post("reports", {"reports": list(reports)})


def test_displayed_and_clicked_are_recorded_without_key_or_installation(delivery):
    at = (datetime.now(UTC) - timedelta(minutes=5)).replace(microsecond=0)
    response = send(report(delivery, "displayed"), report(delivery, "clicked", action="b1", at=at.isoformat()))
    assert (response.status_code, response.json()) == (200, {"accepted": 2})
    delivery.refresh_from_db()
    assert (delivery.clicked_at, delivery.clicked_action) == (at, "b1")
    assert delivery.displayed_at == at


def test_a_report_sent_again_keeps_the_first(delivery):
    first = datetime.now(UTC) - timedelta(minutes=5)
    send(report(delivery, "clicked", action="b1", at=first.isoformat()))
    send(report(delivery, "clicked", action="b2"))
    delivery.refresh_from_db()
    assert (delivery.clicked_at, delivery.clicked_action) == (first, "b1")


def test_tokens_that_we_did_not_make_are_ignored(delivery):
    good = report(delivery, "displayed")
    token = good["token"]
    forged = [
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        report_token(delivery.pk, delivery.day)[:-4] + "AAAA",
        token[:20] + "!" + token[20:],
        token + "A",
        str(delivery.pk),
        "é" * 36,
    ]
    response = send(*[good | {"token": one} for one in forged], good)
    assert response.json() == {"accepted": 1}


def test_a_report_on_what_was_never_sent_changes_nothing(delivery):
    Delivery.objects.update(tries=0, state="ready")
    assert send(report(delivery, "displayed")).json() == {"accepted": 0}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reports": []},
        {"reports": [{"token": "x", "kind": "opened"}]},
        {"reports": [{"kind": "clicked"}]},
        {"reports": "x"},
        {"reports": [None]},
        [],
        None,
        7,
    ],
)
def test_what_is_no_report_is_refused(db, body):
    response = post("reports", body)
    assert response.status_code == 400
    assert error_of(response)["code"] == "invalid_request"
