"""The segments that every brand begins with; they are known by a key, so that marketers may rename them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from devices.models import Brand
from segments.models import Segment
from segments.rules import parse_rules, rules_json
from segments.services.locks import segments_lock
from smartpush.common.database.free_names import free_name

_READY = Segment.Ready


@dataclass(frozen=True)
class ReadySegment:
    """A segment as a brand gets it; `rule` in its stored form. Existing brands got theirs by a migration."""

    key: Segment.Ready
    description: str
    rule: dict[str, Any]


def _status(status: str) -> dict[str, Any]:
    return {"field": "push_status_last_session", "operator": "is", "value": status}


READY_SEGMENTS: tuple[ReadySegment, ...] = (
    ReadySegment(
        _READY.PUSH_ENABLED,
        "End users whom a push reaches now.",
        {"field": "push_enabled", "operator": "is", "value": True},
    ),
    ReadySegment(
        _READY.TO_ASK,
        "Push status of the last session is Ask: they can still be asked for permission.",
        _status("ask"),
    ),
    ReadySegment(
        _READY.ASKED_LATER,
        "Push status of the last session is Ask, and their last answer to a permission popup was Maybe later.",
        {"all": [_status("ask"), {"field": "popup_last_answer", "operator": "is", "value": "later"}]},
    ),
    ReadySegment(_READY.BLOCKED, "Push status of the last session is Blocked.", _status("blocked")),
    ReadySegment(
        _READY.SUSPENDED,
        "Push status of the last session is Suspended: somebody else logged in on their device.",
        _status("suspended"),
    ),
    ReadySegment(
        _READY.DORMANT,
        "Their last visit is more than 30 days ago.",
        {
            "field": "last_seen",
            "operator": "before_the_last",
            "value": {"count": 30, "unit": "day", "zone": "brand"},
        },
    ),
    ReadySegment(
        _READY.NEW,
        "First seen in the current week, which begins on Monday in the brand's time zone.",
        {"field": "first_seen", "operator": "in_current", "value": {"unit": "week", "zone": "brand"}},
    ),
)
_BY_KEY = {ready.key: ready for ready in READY_SEGMENTS}


def segments_make_ready(*, brand: Brand) -> Sequence[Segment]:
    """The segments that a brand begins with; those that it has are left as they are."""
    return [segment_ready(brand=brand, key=ready.key) for ready in READY_SEGMENTS]


@transaction.atomic
def segment_ready(*, brand: Brand, key: Segment.Ready) -> Segment:
    """The brand's own version of a ready segment, made where it has none.

    A segment of that name which a marketer made is taken for it.
    """
    segments_lock(brand_id=brand.pk)
    own = Segment.objects.filter(brand=brand)
    known = own.filter(ready=key).first()
    if known is not None:
        return known
    named = own.filter(name=key.label, ready="").first()
    if named is not None:
        named.ready = key
        named.save(update_fields=["ready"])
        return named
    return Segment.objects.create(
        brand=brand,
        name=free_name(rows=own, wanted=key.label),
        ready=key,
        description=_BY_KEY[key].description,
        rules=rules_json(parse_rules({"version": 1, "rule": _BY_KEY[key].rule})),
    )
