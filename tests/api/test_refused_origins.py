"""Which origins were refused is kept, for the check of an installation; what a hostile visitor can do with that."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from campaigns.ticker import Ticker
from devices.brands.services import refused_origins
from devices.brands.services.refused_origins import KEEP, MOST, WRITES_A_MINUTE, origin_refused
from devices.lifecycle.brands import brand_create
from devices.lifecycle.site_check import Remedy, refusals_of
from devices.models import App, RefusedOrigin
from smartpush.common.database.advisory_locks import refused_origins_hold_try
from smartpush.common.time.clock import utc_now
from tests.api.conftest import ORIGIN
from tests.api.page import CLIENT, Page, post

WRONG = "https://www.books.example"
NOON = datetime(2026, 11, 30, 12, 34, 56, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_counted():
    refused_origins._counted.clear()


@pytest.fixture
def a_minute_later(monkeypatch):
    """Let this process take each of its writings for one of a minute ago, and begin a new minute of limits."""

    def pass_by():
        for key, (written, count) in refused_origins._counted.items():
            refused_origins._counted[key] = (written - refused_origins.PAUSE, count)
        cache.clear()

    return pass_by


def kept(brand):
    return list(RefusedOrigin.objects.filter(brand=brand).order_by("pk").values_list("origin", "count"))


def test_a_refused_origin_is_kept_with_its_hour_and_written_once_a_minute(brand, a_minute_later):
    page = Page(brand, WRONG)
    for _ in range(3):
        page.session(expect=403)
    assert kept(brand) == [(WRONG, 1)]
    a_minute_later()
    page.session(expect=403)
    assert kept(brand) == [(WRONG, 4)]
    row = RefusedOrigin.objects.get()
    assert row.last_at == row.last_at.replace(minute=0, second=0, microsecond=0)
    assert utc_now() - row.last_at < timedelta(hours=1, minutes=1)
    assert origin_refused(brand_id=brand.pk, origin="https://other.books.example", now=NOON)
    assert RefusedOrigin.objects.get(origin="https://other.books.example").last_at == NOON.replace(minute=0, second=0)


def test_a_call_that_is_taken_or_has_another_key_or_no_origin_is_not_kept(brand, other):
    Page(brand, ORIGIN).session()
    post("session", {}, key="pk_unknown", origin=WRONG)
    post("session", {}, key=brand.public_key)
    assert kept(brand) == kept(other.brand) == []


def test_a_preflight_and_a_counted_refusal_ask_no_more_than_before(brand):
    headers = {"Origin": WRONG, "Access-Control-Request-Method": "POST"}
    with CaptureQueriesContext(connection) as captured:
        assert CLIENT.options("/api/v1/sdk/session", headers=headers).status_code == 204
    assert len(captured) == 0
    page = Page(brand, WRONG)
    page.session(expect=403)
    with CaptureQueriesContext(connection) as captured:
        page.session(expect=403)
    assert len(captured) == 2  # the website, and whose key it is


@pytest.mark.parametrize(
    "origin",
    [
        "*", "https://*.example", "https://<script>alert(1)</script>", "https://a.example/<img src=x>",
        "data:text/html,x", "javascript:alert(1)", "https://a.example,https://b.example", "https://a b.example",
        "https://a.example\\@b", "https://user:word@a.example", "HTTPS://WWW.BOOKS.EXAMPLE", "https://a.example:443", "https://bücher.example",
        "capacitor://localhost",
        "chrome-extension://abcdefghijklmnop", "https://" + "a" * 300 + ".example",
        "https://" + "a." * 400 + "example", "",
    ],
)  # fmt: skip
def test_what_is_no_origin_of_a_website_is_not_kept(brand, origin):
    assert not origin_refused(brand_id=brand.pk, origin=origin, now=NOON)
    assert kept(brand) == []


def test_a_flood_of_origins_writes_a_bounded_number_and_leaves_twenty(brand, a_minute_later):
    told = 0
    with CaptureQueriesContext(connection) as captured:
        for number in range(500):
            told += origin_refused(brand_id=brand.pk, origin=f"https://evil{number}.example", now=NOON)
    assert told == WRITES_A_MINUTE
    assert len(captured) <= 5 * WRITES_A_MINUTE
    assert len(kept(brand)) == MOST
    a_minute_later()
    assert origin_refused(brand_id=brand.pk, origin=WRONG, now=NOON)
    assert WRONG in dict(kept(brand)) and len(kept(brand)) == MOST


def test_a_flood_does_not_push_out_an_origin_that_calls_more_often(brand, a_minute_later):
    for _ in range(2):
        origin_refused(brand_id=brand.pk, origin=WRONG, now=NOON)
        a_minute_later()
    origin_refused(brand_id=brand.pk, origin=WRONG, now=NOON)
    for minute in range(4):
        for number in range(40):
            origin_refused(brand_id=brand.pk, origin=f"https://evil{minute}-{number}.example", now=NOON)
        a_minute_later()
    assert dict(kept(brand))[WRONG] == 3
    assert len(kept(brand)) == MOST


def test_what_a_process_counts_is_bounded(brand, monkeypatch):
    monkeypatch.setattr(refused_origins, "_MOST_COUNTED", 50)
    for number in range(200):
        origin_refused(brand_id=brand.pk, origin=f"https://evil{number}.example", now=NOON)
    assert len(refused_origins._counted) <= 50


def test_one_brands_refusals_are_not_anothers(brand, other, a_minute_later):
    Page(brand, WRONG).session(expect=403)
    Page(other.brand, ORIGIN).session(expect=403)  # registered, but with another brand
    assert (kept(brand), kept(other.brand)) == ([(WRONG, 1)], [(ORIGIN, 1)])
    for number in range(MOST + 5):
        origin_refused(brand_id=other.brand.pk, origin=f"https://evil{number}.example", now=NOON)
    assert kept(brand) == [(WRONG, 1)]


@pytest.mark.django_db(transaction=True)
def test_no_process_waits_for_another_that_writes():
    brand = brand_create(name="Harbour Books", origin=ORIGIN)
    began, done, answers = threading.Event(), threading.Event(), []

    def writes():
        with transaction.atomic():
            assert refused_origins_hold_try(brand_id=brand.pk)
            began.set()
            done.wait(30)
        connections.close_all()

    holder = threading.Thread(target=writes)
    holder.start()
    try:
        assert began.wait(30)
        answers.append(origin_refused(brand_id=brand.pk, origin=WRONG, now=NOON))
    finally:
        done.set()
        holder.join()
    assert answers == [False] and kept(brand) == []


def test_they_go_after_a_week(brand):
    now = utc_now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    RefusedOrigin.objects.create(brand=brand, origin="https://old.example", last_at=now - KEEP - timedelta(seconds=1))
    RefusedOrigin.objects.create(brand=brand, origin="https://new.example", last_at=hour)
    Ticker().tick(now=now)
    assert kept(brand) == [("https://new.example", 1)]


# --- what is said of them ---
def said(brand, origin):
    (one,) = [one for one in refusals_of(brand=brand) if one.origin == origin]
    return one


def test_each_origin_is_told_with_what_lets_it_in(brand, settings):
    rows = [WRONG, "null", "http://www.books.example", "http://localhost:3000", "https://old.example"]
    for origin in rows:
        assert origin_refused(brand_id=brand.pk, origin=origin, now=NOON), origin
    old = App.objects.create(brand=brand, name="Old", origin="https://old.example", archived_at=NOON)
    assert said(brand, WRONG).text == f"Calls came from {WRONG}, which is not registered."
    assert (said(brand, WRONG).remedy, said(brand, WRONG).count) == (Remedy.ADD, 1)
    assert "file on disk" in said(brand, "null").text and said(brand, "null").remedy == Remedy.NONE
    assert "https://" in said(brand, "http://www.books.example").fix
    assert (said(brand, "https://old.example").remedy, said(brand, "https://old.example").app_id) == ("restore", old.pk)
    assert said(brand, "http://localhost:3000").remedy == Remedy.SWITCH
    settings.DEVELOPMENT = False
    assert said(brand, "http://localhost:3000").remedy == Remedy.NONE


def test_one_that_was_let_in_meanwhile_is_told_no_more(brand):
    for origin in (WRONG, "http://localhost:3000"):
        origin_refused(brand_id=brand.pk, origin=origin, now=NOON)
    App.objects.create(brand=brand, name="Www", origin=WRONG)
    brand.local_pages = True
    assert refusals_of(brand=brand) == []


def test_what_resembles_the_website_comes_first(brand):
    for number in range(5):
        origin_refused(brand_id=brand.pk, origin=f"https://evil{number}.example", now=NOON + timedelta(hours=5))
    origin_refused(brand_id=brand.pk, origin=WRONG, now=NOON)
    assert refusals_of(brand=brand, near=ORIGIN)[0].origin == WRONG
    assert refusals_of(brand=brand)[0].origin != WRONG
