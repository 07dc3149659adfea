"""The first page: how the brand stands, and what needs a person."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q
from django.http import HttpRequest

from campaigns.models import Campaign
from devices.brands.selectors.incidents import TEXTS, incidents_open
from devices.brands.selectors.origins import origin_names
from devices.brands.selectors.staff import Role, has_brand_role, has_role_anywhere
from devices.delivery.selectors.reach import reached_pairs
from devices.lifecycle.site_check import Refusal, refusals_of
from devices.models import App, Brand, Delivery, EndUser
from devices.people.selectors.standing import Standing, standings_counted
from smartpush.common.calls.callers import caller_address
from smartpush.common.time.clock import utc_now

FRESH_SECONDS = 30
DAYS = 7


@dataclass(frozen=True)
class Figures:
    """The numbers of a brand, as they were at `at`."""

    end_users: int
    push_enabled: int
    never_contact: int
    standings: dict[Standing, int]
    sent: int
    accepted: int
    displayed: int
    clicked: int
    failed: int
    at: datetime


def figures(*, brand_id: int, now: datetime) -> Figures:
    """Count a brand's end users by status and its last seven days of deliveries (by the day of their dispatch)."""
    standings = standings_counted(brand_id=brand_id)
    enabled = reached_pairs().filter(brand_id=brand_id).aggregate(n=Count("end_user", distinct=True))["n"]
    never = EndUser.objects.filter(brand_id=brand_id, never_contact=True).count()
    sent = Delivery.objects.filter(
        dispatch__brand_id=brand_id, day__gt=now.date() - timedelta(days=DAYS), day__lte=now.date()
    ).aggregate(
        sent=Count("pk", filter=Q(sent_at__isnull=False)),
        accepted=Count("pk", filter=Q(state=Delivery.State.ACCEPTED)),
        displayed=Count("pk", filter=Q(displayed_at__isnull=False)),
        clicked=Count("pk", filter=Q(clicked_at__isnull=False)),
        failed=Count("pk", filter=Q(state__in=[Delivery.State.FAILED, Delivery.State.GONE])),
    )
    return Figures(
        end_users=sum(standings.values()),
        push_enabled=enabled,
        never_contact=never,
        standings=standings,
        at=now,
        **sent,
    )


def _remembered(brand_id: int, now: datetime) -> Figures:
    key = f"overview:{brand_id}"
    found: Figures | None = cache.get(key)
    if found is None:
        found = figures(brand_id=brand_id, now=now)
        cache.set(key, found, FRESH_SECONDS)
    return found


def percent(part: int, whole: int) -> str:
    """A share for people: `<1%` for a little, 100% for nothing less than all, a dash where there is no base."""
    if not whole:
        return "–"
    share = 100 * part / whole
    if 0 < share < 1:
        return "<1%"
    if 99 < share < 100:  # rounded down: "100%" beside failures would deny them
        return f"{math.floor(share * 10) / 10:.1f}%"
    return f"{share:.0f}%"


def overview(request: HttpRequest, brand: Brand | None) -> dict[str, Any]:
    """What the overview template shows for the current brand."""
    told = {"proxy_notice": _proxy_notice(request)}
    if brand is None:
        return {"may_create_brand": request.user.is_superuser, "is_staff_of_none": True, **told}
    now = utc_now()
    numbers = _remembered(brand.pk, now)
    statuses = [
        {
            "value": standing.value,
            "label": standing.label,
            "count": count,
            "share": percent(count, numbers.end_users),
            "width": round(100 * count / numbers.end_users) if numbers.end_users else 0,
        }
        for standing, count in numbers.standings.items()
    ]
    incidents = incidents_open(brand_id=brand.pk)
    names = origin_names(incident.subject for incident in incidents)
    return {
        **told,
        "brand": brand,
        "numbers": numbers,
        "statuses": statuses,
        "rates": {
            "enabled": percent(numbers.push_enabled, numbers.end_users),
            "accepted": percent(numbers.accepted, numbers.sent),
            "displayed": percent(numbers.displayed, numbers.accepted),
            "clicked": percent(numbers.clicked, numbers.displayed),
        },
        "refused": _refused(brand) if not numbers.end_users else [],
        "running": list(
            Campaign.objects.filter(brand=brand, state__in=[Campaign.State.ACTIVE, Campaign.State.PAUSED])
            .select_related("segment")
            .order_by("-updated_at")[:8]
        ),
        "incidents": [(names[one.subject], one, TEXTS[one.kind]) for one in incidents],
        "may_write": has_brand_role(request.user, brand.pk, Role.EDITOR),
        "may_see_settings": has_role_anywhere(request.user, Role.ADMIN),
    }


def _refused(brand: Brand) -> list[tuple[Refusal, int | None]]:
    """Return what was refused before anybody could visit, each with the website whose check says what to do."""
    website = App.objects.filter(brand=brand, kind=App.Kind.WEB, archived_at=None).order_by("pk").first()
    refusals = refusals_of(brand=brand, near=website.origin if website else "")
    return [(one, website.pk if website else None) for one in refusals[:2]]


def _proxy_notice(request: HttpRequest) -> dict[str, Any] | None:
    """For admins whose request came by a proxy that the settings do not account for: its address and the setting."""
    caller = caller_address(request)
    if not caller.shared or not has_role_anywhere(request.user, Role.ADMIN):
        return None
    return {"address": caller.text, "trusted": settings.SMARTPUSH_TRUSTED_PROXIES}
