"""What the list of segments says of each: who is in it, how many, and what uses it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache

from devices.models import EndUser
from segments.describe import Names, describe
from segments.models import ListEntry, Segment, SegmentWork
from segments.references import TooLarge
from segments.rules import EVERYONE, InvalidRules, Rules, parse_rules
from segments.selectors.audiences import context_for
from segments.selectors.bounded import TooSlow
from segments.selectors.counting import audience_count
from segments.selectors.names.words import names_in
from segments.selectors.segments import segment_rules
from segments.selectors.uses import segment_use_counts

_ON_THE_SPOT = 1.0  # seconds for all of a page whose sizes were never computed
_TOTAL_FOR = 60  # seconds


@dataclass(frozen=True)
class Listed:
    """One segment of the list; `size` is None where it was not computed, `uses` counts campaigns and segments.

    `failure` says why the size could not be computed when that was last tried; "" where it could.
    """

    words: str
    size: int | None
    sized_at: datetime | None
    outdated: bool
    share: float
    uses: int
    failure: str


@dataclass(frozen=True)
class Failed:
    """Why the size could not be computed when that was last tried, and when it is tried again."""

    reason: str
    again_at: datetime


def brand_total(*, brand_id: int) -> int:
    """How many end users the brand has, as of the last minute: a list of segments need not count a million again."""
    people = EndUser.objects.filter(brand_id=brand_id)
    return int(cache.get_or_set(f"segments.total:{brand_id}", people.count, _TOTAL_FOR) or 0)


def list_first(*, segment: Segment, most: int = 10) -> Sequence[EndUser]:
    """The first end users of an imported segment: those that the brand has known longest."""
    first = ListEntry.objects.filter(segment=segment).order_by("end_user_id").values_list("end_user_id", flat=True)
    people = EndUser.objects.defer("properties").in_bulk(list(first[:most]))
    return [people[key] for key in sorted(people)]


def size_failed(*, segment: Segment) -> Failed | None:
    """None where the size was computed when that was last tried, or never was."""
    return _failed([segment]).get(segment.pk)


def _failed(segments: Sequence[Segment]) -> Mapping[int, Failed]:
    works = SegmentWork.objects.filter(segment__in=segments, kind=SegmentWork.Kind.SIZE).exclude(failure="")
    return {key: Failed(reason, at) for key, reason, at in works.values_list("segment_id", "failure", "due_at")}


def segments_listed(*, segments: Sequence[Segment], brand_id: int, now: datetime) -> Mapping[int, Listed]:
    """Of each of these segments of one brand what the list says."""
    rules = {segment.pk: _rules(segment) for segment in segments}
    names = names_in(rules=[item for item in rules.values() if item is not None], brand_id=brand_id)
    uses = segment_use_counts(brand_id=brand_id)
    failed = _failed(segments)
    total = brand_total(brand_id=brand_id) if segments else 0
    until = time.monotonic() + _ON_THE_SPOT
    found = {}
    for segment in segments:
        size = segment.size
        if size is None:
            size = _size(segment, now, until)
        found[segment.pk] = Listed(
            words=_words(segment, rules[segment.pk], names),
            size=size,
            sized_at=segment.sized_at,
            outdated=segment.sized_at is not None and segment.sized_at < segment.updated_at,
            share=min(1.0, size / total) if size is not None and total else 0.0,
            uses=uses.get(segment.pk, 0),
            failure=failed[segment.pk].reason if segment.pk in failed else "",
        )
    return found


def _rules(segment: Segment) -> Rules | None:
    """The rules of a dynamic segment; None where they cannot be read."""
    if segment.kind == Segment.Kind.IMPORTED:
        return EVERYONE
    try:
        return parse_rules(segment.rules)
    except InvalidRules:
        return None


def _words(segment: Segment, rules: Rules | None, names: Names) -> str:
    if segment.kind == Segment.Kind.IMPORTED:
        return "Whoever is in the list"
    return "Rules that need to be mended: open it" if rules is None else describe(rules, names)


def _size(segment: Segment, now: datetime, until: float) -> int | None:
    """Computed on the spot, while there is time."""
    left = until - time.monotonic()
    if left <= 0:
        return None
    try:
        rules = segment_rules(segment=segment)
        context = context_for(rules=rules, brand_id=segment.brand_id, now=now)
        return audience_count(rules=rules, context=context, exact=True, budget=left).selected
    except (TooSlow, InvalidRules, TooLarge):
        return None
