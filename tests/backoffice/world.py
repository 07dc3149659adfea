"""Two brands with one row of everything, so that a test can try each page of one with the ids of the other."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model

from assets.models import (
    Image,
    PopupResource,
    PopupRevision,
    PopupVariant,
    PushResource,
    PushRevision,
    PushVariant,
)
from campaigns.journey.ready_flows import ask_for_push_permission
from campaigns.models import Campaign, CampaignVersion, Enrolment, StepRun
from devices.lifecycle.brands import brand_create
from devices.models import (
    ApiKey,
    App,
    Brand,
    BrandMembership,
    ConsentRecord,
    Delivery,
    DeliveryChunk,
    Device,
    Dispatch,
    EndUser,
    Event,
    FrequencyCap,
    IdentityKey,
    Incident,
    PopupOffer,
    PushCategory,
    PushStatus,
    PushStatusChange,
    RefusedOrigin,
    SendBudget,
    TokenHolding,
)
from segments.models import Segment

NOW = datetime.now(UTC).replace(microsecond=0)
PASSWORD = "correct horse battery"


@dataclass
class World:
    """A brand and the row of each model that its admin shows."""

    brand: Brand
    word: str
    rows: dict[type[Model], Any] = field(default_factory=dict)


def staff(*, name: str, brand: Brand | None = None, role: str = "admin") -> User:
    """A member of staff, of one brand if given."""
    user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
    if brand is not None:
        BrandMembership.objects.create(brand=brand, user=user, role=role)
    return user


def end_user_with_device(*, brand: Brand, external_id: str, status: str = "allowed") -> EndUser:
    """An end user, one device in this status, and its history."""
    end_user = EndUser.objects.create(
        brand=brand,
        external_id=external_id,
        last_session_status=status,
        last_session_at=NOW,
        properties={"note": external_id},
    )
    live = status == "allowed"
    device = Device.objects.create(
        brand=brand,
        app=App.objects.filter(brand=brand).first(),
        session_end_user=end_user,
        holder=end_user if live else None,
        secret_hash="x",
        platform="web",
        browser="firefox",
        endpoint="https://updates.push.services.mozilla.com/wpush/v2/x" if live else "",
        p256dh=b"1" if live else None,
        auth=b"1" if live else None,
        token_hash=hashlib.sha256(f"{brand.pk}{external_id}".encode()).hexdigest() if live else None,
        vapid_key=brand.vapid_keys.get() if live else None,
        last_seen_at=NOW,
    )
    PushStatus.objects.create(brand=brand, end_user=end_user, device=device, status=status, since=NOW, reported_at=NOW)
    PushStatusChange.objects.create(end_user=end_user, device=device, new=status, cause="session", at=NOW)
    if live:
        TokenHolding.objects.create(device=device, end_user=end_user, token_hash="h", since=NOW)
    return end_user


def resources(*, brand: Brand, word: str) -> tuple[PushResource, PopupResource]:
    """A push and a popup that a flow can use."""
    push = PushResource.objects.create(brand=brand, name=f"{word} push")
    push_revision = PushRevision.objects.create(resource=push, number=1)
    PushVariant.objects.create(revision=push_revision, language="en", title=f"{word} title", message="m")
    PushResource.objects.filter(pk=push.pk).update(current_revision=push_revision)
    popup = PopupResource.objects.create(brand=brand, name=f"{word} popup")
    popup_revision = PopupRevision.objects.create(resource=popup, number=1)
    PopupVariant.objects.create(revision=popup_revision, language="en", title=f"{word} title")
    PopupResource.objects.filter(pk=popup.pk).update(current_revision=popup_revision)
    push.refresh_from_db()
    popup.refresh_from_db()
    return push, popup


def world(*, word: str) -> World:
    """A brand with one row of everything; `word` is in every text that its pages show."""
    brand = brand_create(name=f"{word} brand", origin=f"https://{word.lower()}.example")
    made = World(brand=brand, word=word)
    day = NOW.date()
    end_user = end_user_with_device(brand=brand, external_id=f"{word}-user")
    push, popup = resources(brand=brand, word=word)
    segment = Segment.objects.create(
        brand=brand,
        name=f"{word} segment",
        rules={"version": 1, "rule": {"field": "push_enabled", "operator": "is", "value": True}},
    )
    campaign = Campaign.objects.create(
        brand=brand,
        name=f"{word} campaign",
        segment=segment,
        flow=ask_for_push_permission(popup_id=popup.pk, welcome_id=push.pk),
    )
    version = CampaignVersion.objects.create(campaign=campaign, number=1, graph={}, entry={}, published_at=NOW)
    dispatch = Dispatch.objects.create(
        brand=brand,
        day=day,
        source="journey",
        source_key=f"v{version.pk}:a2",
        campaign_ref=campaign.pk,
        label=f"{word} dispatch",
        content={},
    )
    enrolment = Enrolment.objects.create(
        day=day, brand_id=brand.pk, campaign=campaign, version=version, end_user=end_user, entry_key="once",
        at_key="a1", at_kind="popup", entered_at=NOW,
    )  # fmt: skip
    StepRun.objects.create(
        day=day, enrolment=enrolment, step_seq=1, version_id=version.pk, key="a1", kind="popup", ran_at=NOW
    )
    RefusedOrigin.objects.create(brand=brand, origin=f"https://{word.lower()}-refused.example", last_at=NOW)
    device = Device.objects.get(brand=brand)
    made.rows = {
        Brand: brand,
        App: App.objects.get(brand=brand),
        type(brand.vapid_keys.get()): brand.vapid_keys.get(),
        BrandMembership: BrandMembership.objects.create(
            brand=brand, user=User.objects.create_user(f"{word}-staff", is_staff=True), role="viewer"
        ),
        EndUser: end_user,
        Dispatch: dispatch,
        Delivery: Delivery.objects.create(
            day=day, brand=brand, dispatch=dispatch, end_user=end_user, device=device, origin="https://x.example",
            state="accepted", next_attempt_at=NOW, expires_at=NOW, created_at=NOW, sent_at=NOW,
        ),
        PopupOffer: PopupOffer.objects.create(
            brand=brand, dispatch=dispatch, end_user=end_user, state="shown", created_at=NOW, expires_at=NOW,
            shown_at=NOW,
        ),
        Event: Event.objects.create(
            day=day, brand=brand, end_user=end_user, name=f"{word}-event", occurred_at=NOW, recorded_at=NOW
        ),
        DeliveryChunk: DeliveryChunk.objects.create(
            brand=brand, dispatch=dispatch, day=day, lane="urgent", origin="https://x.example", size=1
        ),
        SendBudget: SendBudget.objects.create(
            brand=brand,
            sender=f"vapid:{word}",
            origin=f"https://{word.lower()}.push.example",
            kind="breaker",
            held_until=NOW,
            since=NOW,
        ),
        Incident: Incident.objects.create(
            brand=brand, kind="key_refused", subject=f"https://{word.lower()}.push.example", since=NOW, last_at=NOW
        ),
        ApiKey: ApiKey.objects.create(
            brand=brand, name=f"{word} key", prefix="sk_123456", secret_hash=word, scopes=["users:read"]
        ),
        FrequencyCap: FrequencyCap.objects.create(brand=brand, most=1000),
        PushCategory: PushCategory.objects.create(brand=brand, marker=f"{word}_NEWS", name=f"{word} news"),
        ConsentRecord: ConsentRecord.objects.create(
            brand=brand, end_user_id=end_user.pk, subject="opt_out", answer="opted_out", at=NOW
        ),
        IdentityKey: IdentityKey.objects.create(brand=brand, kid=f"{word}-kid", public_key="x"),
        Segment: segment,
        Campaign: campaign,
        PushResource: push,
        PopupResource: popup,
        Image: Image.objects.create(
            brand=brand, name=f"{word} image", content_type="image/png", width=1, height=1, size=1,
            sha256=hashlib.sha256(word.encode()).hexdigest(), data=b"x",
        ),
    }  # fmt: skip
    return made
