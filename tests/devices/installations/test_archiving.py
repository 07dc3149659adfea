"""An archived website or app: nothing is taken from it or sent to it, nothing of it is lost, and it comes back."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.selectors.audit import audit
from devices.brands.selectors.click_hosts import click_hosts, home_page
from devices.delivery.selectors.reach import why_nobody
from devices.installations import archiving
from devices.installations.archiving import app_archive, app_restore, tokens_follow
from devices.lifecycle.erasing import end_user_erase, end_user_lock
from devices.models import ChangedEndUser, Delivery, Device, EndUser, PushStatus, TokenHolding
from segments.conditions import Context
from segments.rules import parse_rules
from segments.selectors.audiences import matches

pytestmark = pytest.mark.django_db
ENABLED = parse_rules({"version": 1, "rule": {"field": "push_enabled", "operator": "is", "value": True}})


def site(channel):
    return channel.brand.apps.get(kind="web")


def followed(now, seconds=60.0):
    return tokens_follow(now=now, seconds=seconds)


def push_enabled(person, now):
    return matches(rules=ENABLED, context=Context(person.brand_id, now), end_user_id=person.pk)


def test_a_message_that_waits_is_not_sent_and_says_why_before_any_token_is_set_aside(channel):
    channel.add(channel.dispatch(), channel.subscriber("ann"))
    app_archive(app=site(channel), now=channel.now)

    channel.send_due()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == ("suppressed", "app_archived")
    assert channel.received("ann") == []


def test_who_had_only_its_devices_is_not_push_enabled_and_is_again_when_it_is_restored(channel):
    browser = channel.subscriber("ann")
    ann, device = EndUser.objects.get(external_id="ann"), Device.objects.get()
    token = device.token_hash
    assert push_enabled(ann, channel.now)

    app_archive(app=site(channel), now=channel.now)
    followed(channel.now)

    device.refresh_from_db()
    assert (device.token_hash, device.unreachable_reason) == (None, "app_archived")
    assert not push_enabled(ann, channel.now)
    assert why_nobody(end_user=ann).endswith("1 of an archived website or app.")
    assert channel.add(channel.dispatch(), browser) == []
    assert PushStatus.objects.get().status == "allowed"
    assert TokenHolding.objects.get().ended == "app_archived"

    app_restore(app=site(channel))
    followed(channel.now)

    device.refresh_from_db()
    assert (device.token_hash, device.unreachable_reason, device.unreachable_at) == (token, "", None)
    assert push_enabled(ann, channel.now)
    assert TokenHolding.objects.filter(until=None).count() == 1
    assert channel.push(browser, request="2").state == "accepted"
    assert not [found for found in audit(now=channel.now) if found.count]


def test_what_ends_in_the_middle_goes_on_where_it_was(channel, monkeypatch):
    for name in ("ann", "bob", "cid"):
        channel.subscriber(name)
    monkeypatch.setattr(archiving, "SLICE", 1)
    app_archive(app=site(channel), now=channel.now)
    first = Device.objects.order_by("pk").first()
    type(site(channel)).objects.update(tokens_upto=first.pk - 1)

    assert followed(channel.now, seconds=0) == 1
    assert Device.objects.filter(token_hash=None).count() == 1
    assert site(channel).tokens_pending

    followed(channel.now)
    assert Device.objects.filter(token_hash=None).count() == 3
    assert not site(channel).tokens_pending
    assert followed(channel.now) == 0


def test_what_is_restored_in_the_middle_has_all_its_tokens(channel, monkeypatch):
    for name in ("ann", "bob"):
        channel.subscriber(name)
    monkeypatch.setattr(archiving, "SLICE", 1)
    app_archive(app=site(channel), now=channel.now)
    type(site(channel)).objects.update(tokens_upto=Device.objects.order_by("pk").first().pk - 1)
    followed(channel.now, seconds=0)

    app_restore(app=site(channel))
    type(site(channel)).objects.update(tokens_upto=Device.objects.order_by("pk").first().pk - 1)
    followed(channel.now)

    assert Device.objects.filter(token_hash__isnull=False).count() == 2
    assert not [found for found in audit(now=channel.now) if found.count]


def test_those_whom_it_touches_are_looked_at_again_by_watched_segments(channel):
    channel.subscriber("ann")
    type(channel.brand).objects.update(noticed=True)
    ChangedEndUser.objects.all().delete()

    app_archive(app=site(channel), now=channel.now)
    followed(channel.now)

    assert ChangedEndUser.objects.filter(end_user_id=EndUser.objects.get(external_id="ann").pk).exists()


def test_clicks_no_longer_lead_there_unless_the_brand_says_so(channel):
    type(site(channel)).objects.filter(brand=channel.brand).update(origin="https://shop.example")
    assert home_page(brand=channel.brand) == "https://shop.example/"
    app_archive(app=site(channel), now=channel.now)
    assert (click_hosts(brand=channel.brand), home_page(brand=channel.brand)) == (frozenset(), "")
    channel.brand.click_hosts = ["shop.example"]
    assert click_hosts(brand=channel.brand) == {"shop.example"}


def test_nothing_of_a_person_who_is_erased_is_kept_aside(channel):
    browser = channel.subscriber("ann")
    browser.load("bob")
    app_archive(app=site(channel), now=channel.now)
    followed(channel.now)

    end_user_erase(end_user=end_user_lock(brand_id=channel.brand.pk, external_id="bob"), now=channel.now)

    device = Device.objects.get()
    assert (device.holder, device.endpoint, device.p256dh) == (None, "", None)
    app_restore(app=site(channel))
    followed(channel.now)
    device.refresh_from_db()
    assert device.token_hash is None


_MANY = """
INSERT INTO devices_device (brand_id, app_id, session_end_user_id, holder_id, secret_hash, platform, browser,
  browser_version, os, form_factor, language, time_zone, user_agent, endpoint, endpoint_origin, p256dh, auth,
  token_hash, vapid_key_id, unreachable_reason, last_seen_at)
SELECT %(brand)s, %(app)s, %(person)s, %(person)s, 's', 'web', '', '', '', '', '', '', '', 'https://p.example/' || n,
  'https://p.example', 'p', 'a', encode(sha256(convert_to('https://p.example/' || n, 'UTF8')), 'hex'), %(key)s, '',
  %(now)s
FROM generate_series(1, 20000) n
"""


@pytest.mark.parametrize("statistics", ["none", "of when the table was empty"])
def test_twenty_thousand_devices_are_set_aside_and_taken_back_without_being_loaded(channel, statistics):
    """The second kind says that there is one row: then a join with the locked rows is a walk for each (300 s)."""
    channel.subscriber("ann")
    app, ann = site(channel), EndUser.objects.get(external_id="ann")
    key = channel.brand.vapid_keys.get().pk
    values = {"brand": app.brand_id, "app": app.pk, "person": ann.pk, "key": key, "now": channel.now}
    with connection.cursor() as cursor:
        cursor.execute(_MANY, values)
        if statistics != "none":
            cursor.execute("DELETE FROM devices_device WHERE endpoint LIKE 'https://p.example/%'")
            cursor.execute("ANALYZE devices_device, devices_tokenholding")
            cursor.execute(_MANY, values)
    before = set(Device.objects.values_list("pk", "token_hash"))
    for turn in (lambda: app_archive(app=app, now=channel.now), lambda: app_restore(app=app)):
        with CaptureQueriesContext(connection) as captured:
            turn()
            slices = followed(channel.now + timedelta(seconds=1), seconds=600)
        assert not [q for q in captured.captured_queries if 'FROM "devices_device"' in q["sql"]]
        assert len(captured) <= 10 + 8 * (slices + 1)
        assert not [q for q in captured.captured_queries if _joins_by_walking(q["sql"])]
        live = Device.objects.filter(token_hash__isnull=False).count()
        assert live == (0 if app.archived_at else 20_001)
    assert set(Device.objects.values_list("pk", "token_hash")) == before


def _joins_by_walking(sql: str) -> bool:
    if "devices_device" not in sql:
        return False
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + sql)
        return any("Nested Loop" in row[0] for row in cursor.fetchall())
