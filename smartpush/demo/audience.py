"""What makes the demo's segments worth a look: purchases, chosen categories, an imported list, a rule on all three."""

import io
from collections.abc import Sequence
from datetime import datetime, timedelta

from devices.models import Brand, EndUser, Event
from segments.models import Segment, SegmentImport
from segments.rules import parse_rules
from segments.selectors.audiences import context_for
from segments.selectors.counting import audience_count
from segments.services import segment_save
from segments.services.imports import import_receive
from segments.services.lists import list_save
from smartpush.demo.visitors import external_id_of

LIST = "Book club"
SEGMENT = "Reads a lot, not in the book club"
_CLUB = 7  # every seventh is in the club


def audience_make(*, brand: Brand, numbers: Sequence[int], marker: str, now: datetime) -> Segment:
    """Give these end users a past, import the club's list, and save a segment that asks about both."""
    names = {external_id_of(number): number for number in numbers}
    people = EndUser.objects.filter(brand=brand, external_id__in=names)
    people.filter(bucket__lt=600).update(js_markers=[marker])
    Event.objects.bulk_create(
        Event(
            brand=brand,
            end_user=person,
            name="purchase",
            properties={"amount": 8 + (number * 7 + nth * 5) % 40, "shelf": ("novels", "maps", "poems")[number % 3]},
            occurred_at=at,
            recorded_at=at,
            day=at.date(),
        )
        for person in people
        if person.external_id is not None
        for number in [names[person.external_id]]
        for nth in range(number % 5)
        for at in [now - timedelta(days=2 + nth * 6, hours=number % 24)]
    )
    club = list_save(brand=brand, name=LIST, description="As the club's own books have it.", by=None)
    ids = [external_id_of(number) for number in numbers if number % _CLUB == 0] + ["left-before-the-shop-was-online"]
    import_receive(
        segment=club,
        mode=SegmentImport.Mode.ADD,
        stream=io.BytesIO("\n".join(["external_id", *ids]).encode()),
        file_name="book-club.csv",
        by=None,
        now=now,
    )
    return segment_save(
        brand=brand,
        name=SEGMENT,
        description="To be invited to the club.",
        rules={"version": 1, "rule": {"all": _rules(marker, club.pk)}},
    )


def _rules(marker: str, club: int) -> list[dict[str, object]]:
    fortnight = {"operator": "in_the_last", "value": {"count": 14, "unit": "day", "zone": "brand"}}
    dear = {"name": "amount", "type": "number", "operator": "at_least", "value": 10}
    return [
        {"field": "push_enabled", "operator": "is", "value": True},
        {"field": "js_markers", "operator": "has", "value": marker},
        {
            "field": "event",
            "params": {"name": "purchase", "within": fortnight, "where": [dear]},
            "operator": "at_least",
            "value": 2,
        },
        {"field": "segment", "operator": "not_in", "value": club},
    ]


def audience_size(*, segment: Segment, now: datetime) -> int:
    """How many are in it."""
    rules = parse_rules(segment.rules)
    context = context_for(rules=rules, brand_id=segment.brand_id, now=now)
    return audience_count(rules=rules, context=context, exact=True).selected


def list_is_in(*, brand: Brand) -> bool:
    """Whether the import has been matched."""
    return SegmentImport.objects.filter(segment__brand=brand, state=SegmentImport.State.DONE).exists()
