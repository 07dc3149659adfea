"""Keys that cannot be decrypted: what needs one is held with its reason, everything else goes on."""

from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.core.management.base import CommandError

from devices.delivery.sending.gating import KEY_AGAIN
from devices.delivery.services.fcm_accounts import app_credentials_set
from devices.delivery.transports.vapid import generate_vapid_key
from devices.lifecycle.secrets import keys_readable_again
from devices.models import Delivery, DeliveryChunk, Device, FrequencyCap, Incident, VapidKey
from smartpush.common.crypto import encrypt
from tests.support.native import Phone, native_app, service_account

pytestmark = pytest.mark.django_db
OTHER = Fernet(Fernet.generate_key())
LATER = KEY_AGAIN + timedelta(minutes=1)  # the job that held it took its own time


def lose(key: VapidKey) -> str:
    """Encrypt the private key under a key that nobody has; returns what was stored."""
    stored = key.private_key_encrypted
    key.private_key_encrypted = OTHER.encrypt(b"x").decode()
    key.save(update_fields=["private_key_encrypted"])
    return stored


def give_back(key: VapidKey, stored: str) -> None:
    key.private_key_encrypted = stored
    key.save(update_fields=["private_key_encrypted"])


def retire(channel) -> VapidKey:
    """The brand has another key from now on; returns the old one."""
    old = channel.brand.vapid_keys.get(active=True)
    old.active = False
    old.save(update_fields=["active"])
    public, private = generate_vapid_key()
    VapidKey.objects.create(brand=channel.brand, public_key=public, private_key_encrypted=encrypt(private))
    return old


def told(delivery: Delivery) -> tuple[str, str, str]:
    delivery.refresh_from_db()
    return delivery.state, delivery.reason, delivery.hold_reason


def open_incidents() -> list[str]:
    return list(Incident.objects.filter(kind="key_unreadable", until__isnull=True).values_list("subject", flat=True))


def test_a_message_whose_key_is_unreadable_is_held_with_its_reason(channel):
    ann = channel.subscriber("ann")
    key = channel.brand.vapid_keys.get()
    lose(key)
    delivery = channel.push(ann)
    assert told(delivery) == ("ready", "", "key_unreadable")
    assert (delivery.tries, delivery.chunk_id) == (0, None)
    assert channel.now + KEY_AGAIN <= delivery.next_attempt_at < channel.now + LATER
    assert DeliveryChunk.objects.get().state == "done"
    assert open_incidents() == [f"VAPID key {key.public_key[:12]}"]
    assert channel.received("ann") == []


def test_other_encryption_keys_hold_every_message_and_the_right_ones_let_them_go(channel, settings):
    subscribers = [channel.subscriber(name) for name in ("ann", "bob")]
    right = settings.SMARTPUSH_ENCRYPTION_KEYS
    settings.SMARTPUSH_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    held = [channel.push(one, request=str(number)) for number, one in enumerate(subscribers)]
    assert [told(delivery) for delivery in held] == [("ready", "", "key_unreadable")] * 2
    settings.SMARTPUSH_ENCRYPTION_KEYS = right
    channel.send_due(now=channel.now + LATER)
    assert [told(delivery) for delivery in held] == [("accepted", "", "")] * 2
    assert len(channel.received("ann")) == len(channel.received("bob")) == 1


def test_an_unreadable_retired_key_stops_no_other(channel):
    old_ann = channel.subscriber("ann")
    old = retire(channel)
    bob = channel.subscriber("bob")
    assert channel.device(old_ann).vapid_key_id == old.pk != channel.device(bob).vapid_key_id
    lose(old)
    dispatch = channel.dispatch()
    ids = channel.add(dispatch, old_ann) + channel.add(dispatch, bob)
    channel.send_due()
    assert [told(Delivery.objects.get(pk=pk)) for pk in ids] == [
        ("ready", "", "key_unreadable"),
        ("accepted", "", ""),
    ]
    assert open_incidents() == [f"VAPID key {old.public_key[:12]}"]


def test_a_retired_key_that_no_message_needs_is_no_incident(channel):
    old = retire(channel)
    lose(old)
    assert channel.push(channel.subscriber("ann")).state == "accepted"
    assert open_incidents() == []


def test_one_chunk_of_both_keys_sends_what_it_can(channel):
    """Chunks that were cut before there was one for each key."""
    ann = channel.subscriber("ann")
    old = retire(channel)
    bob = channel.subscriber("bob")
    lose(old)
    dispatch = channel.dispatch()
    ids = channel.add(dispatch, ann) + channel.add(dispatch, bob)
    chunk = DeliveryChunk.objects.create(
        brand=channel.brand,
        dispatch_id=dispatch,
        day=channel.now.date(),
        lane="urgent",
        origin=channel.service.url,
        size=2,
        created_at=channel.now,
    )
    Delivery.objects.update(chunk_id=chunk.pk)
    channel.send_due()
    assert [told(Delivery.objects.get(pk=pk))[0] for pk in ids] == ["ready", "accepted"]
    assert open_incidents() == [f"VAPID key {old.public_key[:12]}"]


def test_nothing_is_tried_without_end_and_expiry_ends_it_at_its_time(channel):
    ann = channel.subscriber("ann")
    lose(channel.brand.vapid_keys.get())
    delivery = channel.push(ann, ttl=720)
    began = channel.now
    for minutes in range(1, 12):
        channel.send_due(now=began + timedelta(minutes=minutes))
    assert told(delivery) == ("ready", "", "key_unreadable")
    attempts = list(DeliveryChunk.objects.order_by("pk").values_list("attempt", "state"))
    assert attempts == [(1, "done")] * 2  # at once, and when five minutes were over
    channel.send_due(now=began + timedelta(minutes=12))
    assert told(delivery) == ("expired", "key_unreadable", "")
    assert began + timedelta(minutes=12) <= delivery.finished_at < began + timedelta(minutes=13)
    assert delivery.tries == 0


def test_a_message_that_may_not_go_any_more_ends_whatever_the_key(channel):
    ann = channel.subscriber("ann")
    lose(channel.brand.vapid_keys.get())
    delivery = channel.push(ann)
    ann.permission = "denied"
    ann.block()
    channel.send_due(now=channel.now + LATER)
    assert told(delivery)[0] == "suppressed"


def test_what_is_held_is_counted_under_no_cap(channel):
    FrequencyCap.objects.create(brand=channel.brand, scope="end_user", period="day", most=1, purpose="marketing")
    ann = channel.subscriber("ann")
    key = channel.brand.vapid_keys.get()
    stored = lose(key)
    delivery = channel.push(ann, purpose="marketing")
    assert told(delivery) == ("ready", "", "key_unreadable")
    assert not delivery.counted
    give_back(key, stored)
    channel.send_due(now=channel.now + LATER)
    assert told(delivery)[0] == "accepted"


def test_the_key_that_is_back_lets_go_what_waits_and_ends_the_incident(channel):
    ann = channel.subscriber("ann")
    key = channel.brand.vapid_keys.get()
    stored = lose(key)
    delivery = channel.push(ann)
    assert keys_readable_again(now=channel.now) == 0
    assert len(open_incidents()) == 1
    give_back(key, stored)
    assert keys_readable_again(now=channel.now) == 1
    assert open_incidents() == []
    channel.send_due()
    assert told(delivery) == ("accepted", "", "")


def test_a_key_file_that_is_unreadable_holds_the_app_and_an_upload_lets_it_go(channel):
    app = native_app(channel.brand, url=channel.service.url)
    phone = Phone(app, channel.service.fcm_tokens(1)[0])
    phone.open("ann")
    app.fcm_credentials_encrypted = OTHER.encrypt(b"x").decode()
    app.save(update_fields=["fcm_credentials_encrypted"])
    delivery = channel.push(phone)
    assert told(delivery) == ("ready", "", "key_unreadable")
    assert open_incidents() == [f"Firebase key file of app {app.pk}"]
    assert Device.objects.get(pk=phone.device.pk).token_hash is not None
    app_credentials_set(app=app, text=service_account(channel.service.url), now=channel.now)
    assert open_incidents() == []
    channel.send_due()
    assert told(delivery) == ("accepted", "", "")


def test_a_website_goes_on_beside_an_app_whose_key_file_is_unreadable(channel):
    app = native_app(channel.brand, url=channel.service.url)
    app.fcm_credentials_encrypted = OTHER.encrypt(b"x").decode()
    app.save(update_fields=["fcm_credentials_encrypted"])
    phone = Phone(app, channel.service.fcm_tokens(1)[0])
    phone.open("ann")
    browser = channel.subscriber("ann")
    ids = channel.add(channel.dispatch(), browser)
    channel.send_due()
    states = {Delivery.objects.get(pk=pk).origin: told(Delivery.objects.get(pk=pk))[0] for pk in ids}
    assert states == {f"fcm:{app.pk}": "ready", channel.service.url: "accepted"}


def test_a_brand_whose_key_is_lost_for_good_gets_another_and_its_visitors_move_over(channel):
    ann = channel.subscriber("ann")
    lost = channel.brand.vapid_keys.get()
    lose(lost)
    out = StringIO()
    call_command("new_vapid_key", channel.brand.public_key, stdout=out)
    made = channel.brand.vapid_keys.get(active=True)
    assert made.public_key in out.getvalue() and made.pk != lost.pk
    assert ann.load("ann").resubscribe
    assert channel.push(channel.subscriber("bob")).state == "accepted"
    with pytest.raises(CommandError, match=channel.brand.public_key):
        call_command("new_vapid_key", "nobody")
