"""Languages of people and devices: kept as sent and canonical by every writer, and read by one look-up."""

from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from devices.installations.reporting import Credentials, DeviceInfo, Identity, PushReport
from devices.lifecycle.merging import end_user_merge, known_end_users_merge
from devices.lifecycle.sessions import session_close, session_open
from devices.lifecycle.steps import Merge
from devices.lifecycle.users import UserInput, users_upsert
from devices.models import Device, EndUser, Status
from devices.people.services.languages import TABLES, languages_refill
from tests.support.people import NOON, Browser
from tests.support.sending import variant

pytestmark = pytest.mark.django_db


def tags(model, **about):
    return model.objects.filter(**about).values_list("language", "language_canonical").get()


def load(browser: Browser, *, device: str = "", language: str = "", external_id: str | None = None):
    result = session_open(
        brand=browser.brand,
        app=browser.app,
        credentials=browser.credentials,
        identity=Identity(external_id=external_id, language=language),
        info=DeviceInfo(browser="firefox", language=device),
        push=PushReport(Status.ASK),
        now=NOON,
    )
    if result.secret is not None:
        browser.credentials = Credentials(result.device.pk, result.secret)


def test_a_session_keeps_both_of_the_visitor_and_the_device(browser):
    load(browser, device="nb-NO")
    assert tags(EndUser) == tags(Device) == ("nb-NO", "no-Latn-NO")
    load(browser, device="zh-TW", language="pt-BR")
    assert tags(Device) == ("zh-TW", "zh-Hant-TW")
    assert tags(EndUser) == ("pt-BR", "pt-Latn-BR")


def test_the_visitor_after_a_logout_has_both(browser):
    load(browser, external_id="ann", language="el")
    session_close(app=browser.app, credentials=browser.credentials, info=DeviceInfo(language="iw-IL"), now=NOON)
    assert tags(EndUser, external_id="ann") == ("el", "el-Grek")
    assert tags(EndUser, external_id=None) == ("iw-IL", "he-Hebr-IL")


def test_servers_write_both_and_a_language_that_is_taken_away_leaves_none(brand):
    rows = [UserInput(n, f"u{n}", language=language) for n, language in enumerate(("nn", "sr-ME", "und"))]
    users_upsert(brand_id=brand.pk, rows=[*rows, UserInput(3, "u3")], now=NOON)
    found = dict(EndUser.objects.values_list("external_id", "language_canonical"))
    assert found == {"u0": "no-Latn", "u1": "sr-Latn-ME", "u2": "", "u3": None}
    users_upsert(brand_id=brand.pk, rows=[UserInput(0, "u0", language="")], now=NOON)
    assert tags(EndUser, external_id="u0") == ("", None)


@pytest.mark.parametrize("merge", [end_user_merge, known_end_users_merge])
def test_whoever_has_no_language_takes_both_of_the_other(brand, merge):
    known, other = (
        EndUser.objects.create(brand=brand, external_id="ann"),
        EndUser.objects.create(brand=brand, language="tl-PH"),
    )
    merge(Merge(other, known, NOON))
    assert tags(EndUser, external_id="ann") == ("tl-PH", "fil-Latn-PH")


def test_rows_without_canonical_tags_or_with_old_ones_are_filled_in_batches(brand):
    spoken = ["nb-NO", "en-GB", "und", "", "zh-TW"] * 3
    EndUser.objects.bulk_create(EndUser(brand=brand, external_id=f"u{n}", language=one) for n, one in enumerate(spoken))
    EndUser.objects.filter(language__in=["nb-NO", "und"]).update(language_canonical=None)
    EndUser.objects.filter(language="zh-TW").update(language_canonical="zh-Hans-TW")
    before = dict(EndUser.objects.values_list("pk", "language"))
    assert languages_refill(batch=2) == 9
    assert dict(EndUser.objects.values_list("pk", "language")) == before
    assert set(EndUser.objects.values_list("language", "language_canonical")) == {
        ("nb-NO", "no-Latn-NO"), ("en-GB", "en-Latn-GB"), ("und", ""), ("", None), ("zh-TW", "zh-Hant-TW"),
    }  # fmt: skip
    assert languages_refill(batch=2) == 0


def test_devices_are_filled_as_well(browser):
    load(browser, device="in")
    Device.objects.update(language_canonical=None)
    assert languages_refill() == 1
    assert tags(Device) == ("in", "id-Latn")


def test_every_table_with_both_columns_is_filled():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'language_canonical' AND table_schema = 'public'"
        )
        assert {name for (name,) in cursor.fetchall()} == set(TABLES)


@pytest.mark.parametrize(
    ("person_speaks", "device_speaks", "sent"),
    [
        ("", "nb-NO", "no"),
        ("nn", "", "no"),
        ("zh-Hant-HK", "en", "zh"),
        ("pt-PT", "en", "en"),
        ("pt", "", "pt-BR"),
        ("fr", "nb", "no"),
        ("", "", "en"),
    ],
)
def test_a_push_is_sent_in_the_nearest_language(channel, person_speaks, device_speaks, sent):
    ann = channel.subscriber("ann")
    EndUser.objects.update(language=person_speaks)
    Device.objects.update(language=device_speaks)
    channel.push(ann, variants={code: variant(title=code) for code in ("en", "no", "zh", "pt-BR")})
    assert [(message["title"], message["lang"]) for message in channel.received("ann")] == [(sent, sent)]


@pytest.mark.parametrize(
    ("person_in", "device_in", "zone"),
    [
        ("Asia/Tokyo", "America/New_York", "Asia/Tokyo"),
        ("", "Asia/Tokyo", "Asia/Tokyo"),
        ("", "", "Europe/Berlin"),
        ("Mars/Base", "", "Europe/Berlin"),
    ],
)
def test_now_in_a_text_is_the_persons_time_else_the_brands(channel, person_in, device_in, zone):
    ann = channel.subscriber("ann")
    channel.brand.time_zone = "Europe/Berlin"
    channel.brand.save()
    EndUser.objects.update(time_zone=person_in)
    Device.objects.update(time_zone=device_in)
    channel.push(ann, variants={"en": variant(title="{{ 'now' | date: '%d %H:%M' }}")})
    there = channel.now.astimezone(ZoneInfo(zone))
    assert [message["title"] for message in channel.received("ann")] == [f"{there:%d %H:%M}"]
