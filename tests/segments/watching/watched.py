"""Watched segments, and what was noticed of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from devices.models import Brand, ChangedEndUser
from devices.people.services.events import EventInput, event_record
from segments.models import MembershipChange, Segment, SegmentMembership
from segments.services.watching import watch
from tests.campaigns.world import NOW, World

VIP = {"field": "js_markers", "operator": "has", "value": "VIP"}
PUSH = {"field": "push_enabled", "operator": "is", "value": True}
DEPOSIT = {"field": "event", "params": {"name": "deposit"}, "operator": "at_least", "value": 1}
LATELY = {
    "field": "event",
    "params": {
        "name": "deposit",
        "within": {"operator": "in_the_last", "value": {"count": 7, "unit": "day", "zone": "brand"}},
    },
    "operator": "at_least",
    "value": 1,
}


def segment_of(brand: Brand, rule: dict[str, Any], name: str = "S") -> Segment:
    return Segment.objects.create(brand=brand, name=name, rules={"version": 1, "rule": rule})


def watched_segment(brand: Brand, rule: dict[str, Any], name: str = "S", now: datetime = NOW) -> Segment:
    segment = segment_of(brand, rule, name)
    watch(segment=segment, now=now)
    return segment


def changes(segment: Segment) -> list[tuple[int, str, int]]:
    """(end user, kind, epoch) in the order in which they happened."""
    return list(
        MembershipChange.objects.filter(segment=segment).order_by("pk").values_list("end_user_id", "kind", "epoch")
    )


def inside(segment: Segment) -> set[int]:
    return set(SegmentMembership.objects.filter(segment=segment, inside=True).values_list("end_user_id", flat=True))


def deposit(world: World, *people: Any, at: datetime = NOW) -> None:
    for person in people:
        pk = person if isinstance(person, int) else person.pk
        event = EventInput(name="deposit", occurred_at=at)
        event_record(brand_id=world.brand.pk, end_user_id=pk, device_id=None, events=[event], now=at)


def queued() -> Sequence[int]:
    """Whose changes wait, each person once."""
    return sorted(set(ChangedEndUser.objects.values_list("end_user_id", flat=True)))
