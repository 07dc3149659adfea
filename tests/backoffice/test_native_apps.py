"""The page of a native app: its Firebase key goes in, checked, and comes out nowhere."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile

from devices.brands.services.incidents import incident_note
from devices.models import App, Incident, SendBudget
from smartpush.common.crypto import decrypt
from tests.support.native import Phone, private_key, service_account

GOOGLE = {"token_uri": "https://oauth2.googleapis.com/token"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def app(ours):
    return App.objects.create(brand=ours.brand, kind="ios", name="OURS app", bundle_id="example.ours")


def address(app: App) -> str:
    return f"/admin/devices/app/{app.pk}/change/"


def send(client, app, text: str | bytes | None = None, **fields: str):
    body = {"name": app.name, "bundle_id": app.bundle_id, "sound": "default"} | fields
    if text is not None:
        raw = text if isinstance(text, bytes) else text.encode()
        body["key_file"] = SimpleUploadedFile("key.json", raw, "application/json")
    return client.post(address(app), body)


def test_a_native_app_shows_its_key_right_after_it_was_made(client_of, ours):
    client = client_of(ours.brand)
    answer = client.post(
        "/admin/devices/app/add/", {"kind": "android", "name": "Shop", "origin": "", "bundle_id": "example.shop"}
    )

    app = App.objects.get(bundle_id="example.shop")
    assert answer.headers["Location"] == address(app)
    assert app.app_key.startswith("ak_")
    assert app.app_key in client.get(address(app)).content.decode()


def test_the_key_file_is_kept_encrypted_and_shown_nowhere(client_of, app, ours, caplog):
    client = client_of(ours.brand)
    secret = private_key().splitlines()[1]
    with caplog.at_level(logging.DEBUG):
        answer = send(client, app, service_account("", **GOOGLE))
    assert answer.status_code == 302, answer.context["adminform"].form.errors

    app.refresh_from_db()
    assert app.fcm_project_id == "harbour-books"
    assert secret not in app.fcm_credentials_encrypted
    assert json.loads(decrypt(app.fcm_credentials_encrypted))["private_key"] == private_key()
    pages = [client.get(url).content.decode() for url in (address(app), f"/admin/devices/app/{app.pk}/history/")]
    history = " ".join(str(entry) + entry.change_message for entry in LogEntry.objects.all())
    assert not any(secret in text for text in [*pages, history, caplog.text])
    assert "harbour-books" in pages[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"\xff\xfe", "not JSON"),
        ("{", "not JSON"),
        ('{"type": "authorized_user"}', "not a service account key"),
        (service_account("", token_uri="https://oauth2.googleapis.com.evil.example/token"), "token_uri"),
        (service_account("http://127.0.0.1:1"), "token_uri"),
        (service_account("", **GOOGLE, private_key="-----BEGIN PRIVATE KEY-----\nAAAA\n"), "private key"),
        (service_account("", **GOOGLE, client_email=""), "client_email"),
        (service_account("", **GOOGLE, project_id="../../x"), "malformed"),
        ("x" * 20_000, "too large"),
    ],
)
def test_a_file_that_is_no_service_account_is_refused_in_words(client_of, app, ours, text, words):
    answer = send(client_of(ours.brand), app, text)

    assert words in " ".join(answer.context["adminform"].form.errors["key_file"])
    app.refresh_from_db()
    assert app.fcm_credentials_encrypted == ""


def test_a_key_can_be_removed(client_of, app, ours):
    client = client_of(ours.brand)
    send(client, app, service_account("", **GOOGLE))

    send(client, app, key_remove="on")
    app.refresh_from_db()
    assert app.fcm_credentials_encrypted, "saving the form removes nothing"

    page = f"/admin/devices/app/{app.pk}/remove-key/"
    asked = client.get(page)
    assert "no devices" in asked.content.decode()
    for answer in ({}, {"seen": "0,0"}, {"seen": "0,0", "name": "Another app"}, {"seen": "1,1", "name": app.name}):
        client.post(page, answer)
        app.refresh_from_db()
        assert app.fcm_credentials_encrypted, answer

    assert client.post(page, {"seen": "0,0", "name": app.name}).status_code == 302
    app.refresh_from_db()
    assert (app.fcm_credentials_encrypted, app.fcm_project_id) == ("", "")
    told = LogEntry.objects.filter(object_id=str(app.pk)).latest("action_time").change_message
    assert told == "Removed the Firebase key of harbour-books, with no devices."


def test_saving_the_page_without_a_file_leaves_the_key(client_of, app, ours):
    client = client_of(ours.brand)
    send(client, app, service_account("", **GOOGLE))

    send(client, app, name="Renamed")

    app.refresh_from_db()
    assert app.name == "Renamed"
    assert app.fcm_credentials_encrypted


@pytest.mark.parametrize("role", ["viewer", "editor", "publisher"])
def test_only_an_admin_gives_a_key(client_of, app, ours, role):
    assert send(client_of(ours.brand, role), app, service_account("", **GOOGLE)).status_code == 403

    app.refresh_from_db()
    assert app.fcm_credentials_encrypted == ""


def test_another_brand_s_app_is_not_there(client_of, app, theirs):
    client = client_of(theirs.brand)

    assert client.get(address(app)).status_code == 302
    send(client, app, service_account("", **GOOGLE))
    app.refresh_from_db()
    assert app.fcm_credentials_encrypted == ""


def test_an_app_stays_what_it_is(client_of, app, ours):
    send(client_of(ours.brand), app, kind="android")

    app.refresh_from_db()
    assert app.kind == "ios"


@pytest.fixture
def held(app):
    now = datetime.now(UTC)
    origin = f"fcm:{app.pk}"
    incident_note(kind=Incident.Kind.KEY_REFUSED, brand_id=app.brand_id, subject=origin, now=now)
    return SendBudget.objects.create(
        brand=app.brand,
        sender=origin,
        origin=origin,
        kind="breaker",
        since=now,
        held_until=now + timedelta(hours=1),
        refusals=1,
    )


def test_what_firebase_refuses_is_told_in_the_app_s_name(client_of, app, ours, held):
    client = client_of(ours.brand)

    assert "A push service refuses our key: OURS app (iOS app)" in client.get("/admin/").content.decode()
    assert "OURS app (iOS app)" in client.get("/admin/devices/sendbudget/").content.decode()


def test_the_page_says_what_holds_its_messages(client_of, app, ours, held):
    client = client_of(ours.brand)
    assert "Held: there is no key." in client.get(address(app)).content.decode()

    send(client, app, service_account("", **GOOGLE))
    assert "Nothing is held." in client.get(address(app)).content.decode()
    held.save()
    assert "APNs key in the Firebase project, since" in client.get(address(app)).content.decode()


def test_a_phone_is_named_on_the_profile_by_what_it_is(client_of, app, ours):
    phone = Phone(app, "t" * 40)
    phone.open("OURS-ann-by-phone")

    page = client_of(ours.brand).get(f"/admin/devices/enduser/{phone.device.holder_id}/change/").content.decode()

    assert "App 2.1.0 on Pixel 8, iOS 14" in page
