"""What the calls that every page makes cost in statements; BEGIN and COMMIT are counted (here as savepoints)."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.models import Device
from smartpush.common.ids import report_token
from tests.api.page import post
from tests.support.identity_tokens import Signer


def test_a_visitor_who_looks_at_the_next_page(page, django_assert_max_num_queries):
    page.session()
    page.session()
    with django_assert_max_num_queries(6):
        page.session()


def test_a_subscriber_who_looks_at_the_next_page(page, django_assert_max_num_queries):
    page.allow()
    page.session(external_id="ann")
    page.session(external_id="ann")
    with django_assert_max_num_queries(6):
        assert page.session(external_id="ann")["status"] == "allowed"


def test_a_subscriber_who_comes_back_another_day(page, django_assert_max_num_queries):
    page.allow()
    page.session(external_id="ann")
    page.session(external_id="ann")
    Device.objects.update(last_seen_at=datetime.now(UTC) - timedelta(days=1))
    with django_assert_max_num_queries(8):
        page.session(external_id="ann")


def test_a_first_visit(page, django_assert_max_num_queries):
    page.session()
    page.installation = None
    with django_assert_max_num_queries(10):
        page.session()


def test_a_poll(page, django_assert_max_num_queries):
    page.session()
    with django_assert_max_num_queries(4):
        page.call("popups/poll")


@pytest.mark.parametrize("count", [1, 100])
def test_reports_however_many(db, count, django_assert_max_num_queries):
    today = datetime.now(UTC).date()
    reports = [{"token": report_token(n, today), "kind": "displayed"} for n in range(1, count + 1)]
    with django_assert_max_num_queries(1):
        assert post("reports", {"reports": reports}).json() == {"accepted": 0}


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_a_subscriber_who_proves_who_they_are_at_the_next_page(brand, page, mode, django_assert_max_num_queries):
    signer = Signer(brand)
    brand.identity_mode = mode
    brand.save(update_fields=["identity_mode"])
    page.allow()
    for _ in range(2):
        page.session(external_id="ann", identity_token=signer.token())
    with django_assert_max_num_queries(7):  # one more: the count of what checking saw
        page.session(external_id="ann", identity_token=signer.token())
    with django_assert_max_num_queries(4):
        page.call("popups/poll")
