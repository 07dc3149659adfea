"""Find watched segments, their compiled rules, and what their answers depend on."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from segments.conditions import Context
from segments.fields import Reads
from segments.models import Segment
from segments.references import inlined, leads_to
from segments.rules import InvalidRules, Rules, parse_rules, reads_of
from segments.selectors.audiences import context_for
from segments.selectors.segments import segment_rules
from smartpush.common.database import statements

# Changes of these are not queued: time alone, deliveries, campaigns, lists.
_UNNOTICED = frozenset({Reads.CLOCK, Reads.OTHER})


@dataclass(frozen=True)
class Watched:
    """A segment and the rules that decide who is in it; `reads` includes the segments that it refers to."""

    segment_id: int
    brand_id: int
    rules: Rules
    context: Context
    reads: frozenset[Reads]

    @property
    def noticed(self) -> bool:
        """Tell whether a change of an end user, their devices or events can change their membership."""
        return bool(self.reads - _UNNOTICED)

    @property
    def drifts(self) -> bool:
        """Tell whether somebody can enter or leave without such a change."""
        return bool(self.reads & _UNNOTICED)


def watched_of(*, segment: Segment, now: datetime) -> Watched:
    """Return the segment with its rules as of this moment; raises InvalidRules, TooLarge."""
    rules = segment_rules(segment=segment)
    context = context_for(rules=rules, brand_id=segment.brand_id, now=now)
    return Watched(segment.pk, segment.brand_id, rules, context, reads_of(inlined(rules, context.segments)))


def segments_watched(*, brand_id: int) -> Sequence[Segment]:
    """The brand's watched segments, in one order."""
    return list(Segment.objects.filter(brand_id=brand_id, watched=True).order_by("pk"))


def segments_changed_with(*, segment: Segment) -> Sequence[Segment]:
    """The segments whose answer changes with this one's: itself, and those whose rules lead to it; in one order."""
    everyone = list(Segment.objects.filter(brand_id=segment.brand_id).order_by("pk"))
    rules = _readable(other for other in everyone if other.kind == Segment.Kind.DYNAMIC)
    return [
        other
        for other in everyone
        if other.pk == segment.pk or (other.pk in rules and leads_to(segment.pk, rules[other.pk], rules))
    ]


def _readable(segments: Iterable[Segment]) -> dict[int, Rules]:
    """The rules that can be read: those of another segment's that cannot are that segment's fault alone."""
    found = {}
    for segment in segments:
        with suppress(InvalidRules):
            found[segment.pk] = parse_rules(segment.rules)
    return found


def brands_changed() -> list[int]:
    """The noticed brands with end users in the queue."""
    return statements.column(
        "SELECT b.id FROM devices_brand b WHERE b.noticed"
        " AND EXISTS (SELECT FROM devices_changedenduser c WHERE c.brand_id = b.id) ORDER BY b.id"
    )
