"""Ready flows: a marketer gets a whole draft (resources, audience, journey) to review and activate."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Case, When

from assets.models import PopupResource, PopupRevision, PushResource
from assets.services import (
    PopupDraft,
    PopupVariantDraft,
    PushDraft,
    PushVariantDraft,
    popup_resource_save,
    push_resource_save,
)
from campaigns.journey.ready_flows import ASK_FOR_PUSH_PERMISSION, announce, ask_for_push_permission, push_once
from campaigns.models import Campaign
from campaigns.services.schedule import MAX_AHEAD, TOO_FAR
from devices.brands.selectors.click_hosts import click_hosts
from devices.models import App, Brand
from devices.people.selectors.categories import categories_in_use
from devices.people.services.categories import categories_make_default
from segments.models import Segment
from segments.services import segment_ready
from smartpush.common.addresses.origins import is_allowed_click_url
from smartpush.common.database.free_names import free_name
from smartpush.common.language.default_words import words_in

ASK_WITH_CATEGORIES = f"{ASK_FOR_PUSH_PERMISSION} (with categories)"
_ASKED_AGAIN_AFTER = 7 * 86_400  # seconds: "Maybe later" is asked again by a later run, not at every visit
_FLOW = Campaign.ReadyFlow
_ASKING = (_FLOW.ASK, _FLOW.ASK_CATEGORIES)
_OFFERED_AT_MOST = 6  # categories in the ready popup; the marketer may change them


class CannotMakeReady(Exception):
    """A refusal, in words for the marketer; `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def ready_flow_in_use(*, brand: Brand, flow: str) -> Campaign | None:
    """The campaign that this ready flow made and that is a draft or running: a draft first, then the newest."""
    states = [Campaign.State.DRAFT, Campaign.State.ACTIVE, Campaign.State.PAUSED]
    found = Campaign.objects.filter(brand=brand, ready_flow=flow, state__in=states)
    return found.order_by(Case(When(state=Campaign.State.DRAFT, then=0), default=1), "-pk").first()


@transaction.atomic
def campaign_make_ready(
    *,
    brand: Brand,
    by: AbstractBaseUser | None,
    now: datetime,
    with_categories: bool = False,
    make_categories: bool = False,
) -> Campaign:
    """A new draft of *Ask for permission*; its popup, welcome push and audience are made where they are missing.

    A resource that an earlier campaign of the ready flow uses is used again as the marketer left it, and so is the
    audience. With categories the brand needs some: News and Offers where `make_categories` says so; raises
    CannotMakeReady otherwise.
    """
    _lock(brand)
    if with_categories and make_categories:
        categories_make_default(brand=brand)
    if with_categories and not categories_in_use(brand_id=brand.pk):
        raise CannotMakeReady("no_categories", "The brand has no push categories yet.")
    audience = segment_ready(brand=brand, key=Segment.Ready.TO_ASK)
    popup_id = _popup(brand, by, with_categories=with_categories)
    return _campaign(
        brand,
        by,
        now,
        name=ASK_WITH_CATEGORIES if with_categories else ASK_FOR_PUSH_PERMISSION,
        ready_flow=_FLOW.ASK_CATEGORIES if with_categories else _FLOW.ASK,
        trigger_event="session",
        segment=audience,
        entry_mode=Campaign.EntryMode.ONCE_WHILE_OPEN,
        entry_interval=_ASKED_AGAIN_AFTER,
        flow=ask_for_push_permission(popup_id=popup_id, welcome_id=_welcome(brand, by)),
    )


@transaction.atomic
def segment_push_make_ready(
    *,
    brand: Brand,
    push: PushResource,
    segment: Segment | None,
    scheduled_at: datetime,
    by: AbstractBaseUser | None,
    now: datetime,
) -> Campaign:
    """A new draft of *Push to a segment*: the push once, to those who are in the segment then (None: everybody).

    Raises CannotMakeReady where the time is more than two years ahead.
    """
    if scheduled_at > now + MAX_AHEAD:
        raise CannotMakeReady("too_far", TOO_FAR)
    _lock(brand)
    _own(brand, push, segment)
    return _campaign(
        brand,
        by,
        now,
        name=f"{push.name} to {segment.name if segment is not None else 'everybody'}"[:110],
        ready_flow=_FLOW.SEGMENT_PUSH,
        kind=Campaign.Kind.SCHEDULED,
        trigger_event="",
        scheduled_at=scheduled_at,
        segment=segment,
        flow=push_once(push_id=push.pk),
    )


@transaction.atomic
def announcement_make_ready(
    *,
    brand: Brand,
    popup: PopupResource,
    segment: Segment | None,
    by: AbstractBaseUser | None,
    now: datetime,
) -> Campaign:
    """A new draft of *Announcement popup*: at the next visit, once per person; none that asks for permission."""
    _lock(brand)
    _own(brand, popup, segment)
    revision = popup.current_revision
    if revision is None or revision.primary == PopupRevision.Primary.PERMISSION:
        raise CannotMakeReady("asks_permission", "Choose a popup whose first button does not ask for permission.")
    return _campaign(
        brand,
        by,
        now,
        name=popup.name,
        ready_flow=_FLOW.ANNOUNCEMENT,
        trigger_event="session",
        segment=segment,
        entry_mode=Campaign.EntryMode.ONCE,
        flow=announce(popup_id=popup.pk),
    )


def _lock(brand: Brand) -> None:
    Brand.objects.select_for_update().get(pk=brand.pk)  # two clicks at once make two names, not an error


def _own(brand: Brand, *rows: PushResource | PopupResource | Segment | None) -> None:
    if any(row is not None and row.brand_id != brand.pk for row in rows):
        raise CannotMakeReady("other_brand", "This belongs to another brand.")


def _campaign(brand: Brand, by: AbstractBaseUser | None, now: datetime, *, name: str, **fields: Any) -> Campaign:
    return Campaign.objects.create(
        brand=brand,
        name=free_name(rows=Campaign.objects.filter(brand=brand), wanted=name),
        created_by_id=by.pk if by is not None else None,
        created_at=now,
        **fields,
    )


def _used_before(brand: Brand, flows: tuple[str, ...], kind: str) -> list[int]:
    """The resources of this kind in the campaigns that these ready flows made, the newest first."""
    drafts = Campaign.objects.filter(brand=brand, ready_flow__in=flows).order_by("-pk").values_list("flow", flat=True)
    found: list[int] = []
    for draft in drafts[:20]:
        activities = draft.get("activities", []) if isinstance(draft, dict) else []
        chosen = (item.get("settings", {}).get(kind) for item in activities if item.get("kind") == kind)
        found += [pk for pk in chosen if isinstance(pk, int)]
    return found


def _popup(brand: Brand, by: AbstractBaseUser | None, *, with_categories: bool) -> int:
    flow = _FLOW.ASK_CATEGORIES if with_categories else _FLOW.ASK
    template = PopupRevision.Template.CATEGORIES if with_categories else PopupRevision.Template.SIMPLE
    usable = PopupResource.objects.filter(
        brand=brand,
        archived_at=None,
        current_revision__template=template,
        current_revision__primary=PopupRevision.Primary.PERMISSION,
    )
    known = set(usable.values_list("pk", flat=True))
    for pk in _used_before(brand, (flow,), "popup"):
        if pk in known:
            return pk
    name = ASK_WITH_CATEGORIES if with_categories else ASK_FOR_PUSH_PERMISSION
    words = words_in(brand.default_language)
    variant = PopupVariantDraft(
        language=brand.default_language,
        title=words.title,
        text=words.choose if with_categories else words.ask,
        subscribe_label=words.buttons.subscribe,
        later_label=words.buttons.later,
        close_label=words.buttons.close,
    )
    offered = categories_in_use(brand_id=brand.pk)[:_OFFERED_AT_MOST] if with_categories else []
    draft = PopupDraft(
        variants=(variant,),
        default_language=brand.default_language,
        template=template,
        categories=tuple(category.marker for category in offered),
    )
    free = free_name(rows=PopupResource.objects.filter(brand=brand), wanted=name)
    revision = popup_resource_save(brand=brand, name=free, draft=draft, by=by)
    return revision.resource_id


def _welcome(brand: Brand, by: AbstractBaseUser | None) -> int:
    usable = PushResource.objects.filter(brand=brand, archived_at=None, current_revision__isnull=False)
    known = set(usable.values_list("pk", flat=True))
    for pk in _used_before(brand, _ASKING, "push"):
        if pk in known:
            return pk
    words = words_in(brand.default_language)
    variant = PushVariantDraft(
        language=brand.default_language,
        title=words.welcome,
        message=words.thanks,
        click_url=_home(brand),
    )
    draft = PushDraft(variants=(variant,), default_language=brand.default_language, ttl=86_400, urgency="high")
    name = free_name(rows=PushResource.objects.filter(brand=brand), wanted="Welcome")
    return push_resource_save(brand=brand, name=name, draft=draft, by=by).resource_id


def _home(brand: Brand) -> str:
    """The first website of the brand that a click may lead to; none where that is not on https and port 443."""
    hosts = click_hosts(brand=brand)
    pages = (
        f"{origin}/"
        for origin in App.objects.filter(brand=brand, kind=App.Kind.WEB, archived_at=None)
        .order_by("pk")
        .values_list("origin", flat=True)
    )
    allowed = settings.SMARTPUSH_DEV_ORIGINS
    return next((page for page in pages if is_allowed_click_url(page, hosts=hosts, dev_origins=allowed)), "")
