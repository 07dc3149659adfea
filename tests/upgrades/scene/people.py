"""Staff in each role, and end users in each state of their devices, statuses, consents and proofs."""

from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django_otp.plugins.otp_totp.models import TOTPDevice

from campaigns.services.never_contact import people_never_contact
from devices.brands.services.api_keys import api_key_create, api_key_find, api_key_revoke
from devices.brands.services.staff import membership_change_role, staff_add
from devices.installations.identity import identity_key_add, identity_key_revoke, identity_prove, observation_count
from devices.installations.reporting import DeviceInfo, Identity, PushReport
from devices.lifecycle.brands import local_pages_follow
from devices.lifecycle.consents import Asked, tracking_answer
from devices.lifecycle.preferences import opt_out_set, preferences_save
from devices.lifecycle.server_events import ServerEvent, partitions_for, server_events_record
from devices.lifecycle.sessions import session_open
from devices.lifecycle.users import UserInput, users_upsert
from devices.models import ApiKey, Brand, BrandMembership, Device, EndUser, Status
from devices.people.services.categories import category_archive, category_create
from segments.services.lists import list_extend, list_save
from segments.services.scheduled_work import work_due
from smartpush.api.server.flows import user_erase, users_merge
from smartpush.common.addresses.origins import LOCAL_ORIGIN
from tests.support.people import Browser
from tests.upgrades.scene.stage import Channel, Stage

_APPS = ("devices", "segments", "assets", "campaigns")


def staff_make(stage: Stage) -> None:
    """The person who runs the installation, logged in; those of each role join when there is a brand."""
    root = User.objects.create_superuser("root", "root@example.com", None)
    stage.staff["root"] = stage.staff["editor"] = stage.staff["publisher"] = root
    operators = Group.objects.create(name="Everything of ours")
    operators.permissions.set(Permission.objects.filter(content_type__app_label__in=_APPS))
    root.groups.add(operators)
    TOTPDevice.objects.create(user=root, name="Phone")
    SessionStore().create()
    LogEntry.objects.log_actions(root.pk, [operators], CHANGE, change_message="Rights of today")


def staff_join(stage: Stage, brand: Brand) -> None:
    """A member of staff in each role, one of whom had another before."""
    for role in BrandMembership.Role.values:
        added = staff_add(brand=brand, name=f"{role}@example.com", role="viewer", by=stage.staff["root"])
        membership_change_role(membership=added.membership, role=role, by=stage.staff["root"])
        stage.staff[role] = User.objects.get(username=f"{role}@example.com")


def statuses_make(stage: Stage, channel: Channel) -> None:
    """Devices in every status, taken over, logged out, merged and dead."""
    brand = channel.brand
    Browser(brand, now=stage.now).load()  # an anonymous visitor who was never asked
    Browser(brand, now=stage.now).load("asked-never")
    refused = Browser(brand, now=stage.now)
    refused.load("blocked")
    refused.block()
    with transaction.atomic():
        session_open(
            brand=brand,
            app=brand.apps.get(kind="web"),
            credentials=None,
            identity=Identity(external_id="not-supported"),
            info=DeviceInfo(browser="safari", browser_version="17.0"),
            push=PushReport(Status.NOT_SUPPORTED, reason="ios_not_installed"),
            now=stage.now,
        )
    shared = channel.subscriber("suspended")
    shared.load("took-it-over")
    away = channel.subscriber("logged-out")
    away.log_out()
    visitor = channel.subscriber("known-before")
    visitor.clear_storage()
    other = Browser(brand, now=stage.now)
    other.load()
    other.load("known-before")  # merges the anonymous visitor
    channel.subscriber("merged-from", first_name="Mia")
    channel.subscriber("merged-into")
    users_merge(brand=brand, external_id="merged-from", into="merged-into", now=stage.now)
    channel.subscriber("erased")
    user_erase(brand=brand, external_id="erased", now=stage.now)
    channel.subscriber("opted-out-by-platform")
    opt_out_set(
        end_user_id=EndUser.objects.get(external_id="opted-out-by-platform").pk,
        opted_out=True,
        by="platform",
        now=stage.now,
    )
    never = channel.subscriber("never-contact").device.session_end_user_id
    people_never_contact(brand_id=brand.pk, end_user_ids=[never], on=True, by="staff", now=stage.now)
    channel.subscriber("to-be-marked")
    marked = list_save(brand=brand, name="Do not contact")
    list_extend(segment=marked, end_user_ids=[EndUser.objects.get(external_id="to-be-marked").pk])
    work_due(segment_id=marked.pk, kind="mark", at=stage.now)


def consents_make(stage: Stage, channel: Channel) -> None:
    """Answers to everything that can be asked, and categories in use and put away."""
    brand = channel.brand
    news = category_create(brand=brand, name="News", translations={"pt": {"name": "Novidades", "description": ""}})
    old = category_create(brand=brand, name="Old things")
    category_archive(category=old, now=stage.now)
    chooser = channel.subscriber("chooser")
    asked = Asked(device_id=chooser.device.pk, language="en", origin="https://site-1.example")
    person = chooser.device.session_end_user_id
    preferences_save(brand_id=brand.pk, end_user_id=person, asked=asked, now=stage.now, ticks={news.marker: True})
    preferences_save(brand_id=brand.pk, end_user_id=person, asked=asked, now=stage.now, opted_out=True)
    withdrew = channel.subscriber("withdrew")
    for given in (True, False):
        with transaction.atomic():
            device = Device.objects.select_for_update().get(pk=withdrew.device.pk)
            tracking_answer(
                device=device,
                given=given,
                at=stage.now,
                asked=Asked(device_id=device.pk, language="en", origin="https://site-1.example"),
                now=stage.now,
            )


def servers_make(stage: Stage, channel: Channel) -> None:
    """What the brand's own server wrote: users, events of today and of long ago, keys."""
    brand = channel.brand
    rows = [
        UserInput(
            number,
            f"from-server-{number}",
            language="pt",
            time_zone="Europe/Lisbon",
            properties={"plan": "gold", "spent": 12.5 * number, "since": "2026-01-31T10:00:00Z"},
            markers=[("add", ["VIP"])] if number % 2 else (),
        )
        for number in range(6)
    ]
    users_upsert(brand_id=brand.pk, rows=rows, now=stage.now)
    events = [
        ServerEvent(n, f"order-{n}", f"from-server-{n % 6}", "order", stage.now - timedelta(days=days), {"sum": n}, old)
        for n, (days, old) in enumerate([(0, False), (1, False), (40, True), (75, True), (300, True)])
    ]
    partitions_for(events=events)
    with transaction.atomic():
        server_events_record(brand_id=brand.pk, events=events, create_unknown=True, now=stage.now)
    _, secret = api_key_create(brand=brand, name="Shop back end", scopes=ApiKey.Scope.values, by=stage.staff["root"])
    api_key_find(secret=secret, now=stage.now)
    revoked, _ = api_key_create(brand=brand, name="Former agency", scopes=["push:send"], by=stage.staff["root"])
    api_key_revoke(key=revoked, now=stage.now)


def proofs_make(stage: Stage, channel: Channel) -> None:
    """Identity keys, one revoked, and what observing has seen."""
    brand = channel.brand
    for kid in ("2025", "2026"):
        public = ec.generate_private_key(ec.SECP256R1()).public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        key = identity_key_add(brand=brand, kid=kid, public_key=pem, by=stage.staff["root"])
        if kid == "2025":
            identity_key_revoke(key=key, now=stage.now, by=stage.staff["root"])
    brand.identity_mode = Brand.IdentityMode.OBSERVE
    brand._history_user = stage.staff["root"]
    brand.save()
    for token in (None, "not a token"):
        verdict = identity_prove(brand=brand, token=token, external_id="x", origin="", now=stage.now)
        observation_count(brand=brand, verdict=verdict, external_id="x", origin="", now=stage.now)


def local_pages_make(stage: Stage, channel: Channel) -> None:
    """The brand lets in developers' own machines, and one has visited; the last part, since it adds a website."""
    brand = channel.brand
    brand.local_pages = True
    brand.save(update_fields=["local_pages"])
    local_pages_follow(brand=brand, now=stage.now)
    with transaction.atomic():
        session_open(
            brand=brand,
            app=brand.apps.get(origin=LOCAL_ORIGIN),
            credentials=None,
            identity=Identity(external_id="developer"),
            info=DeviceInfo(browser="firefox", browser_version="153.0"),
            push=PushReport(Status.ASK),
            now=stage.now,
        )
