"""Who matches rules: as ids, as a set inside a statement, or one end user rule by rule."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from devices.models import Brand, EndUser
from segments.compiler import audience_sql, condition_sql
from segments.conditions import Context
from segments.models import Segment
from segments.rules import Rules, parse_rules, segments_of
from smartpush.common.database import statements


def context_for(*, rules: Rules, brand_id: int, now: datetime) -> Context:
    """What the rules are compiled for: the brand's time zone, and the rules of every segment that they lead to."""
    zone = Brand.objects.values_list("time_zone", flat=True).get(pk=brand_id)
    return Context(brand_id, now, zone, _referred(rules, brand_id) if segments_of(rules) else {})


def _referred(rules: Rules, brand_id: int) -> Mapping[int, Rules]:
    dynamic = Segment.objects.filter(brand_id=brand_id, kind=Segment.Kind.DYNAMIC)
    stored = dict(dynamic.values_list("pk", "rules"))
    found: dict[int, Rules] = {}
    waiting = segments_of(rules)
    while waiting:
        key = waiting.pop()
        if key in stored and key not in found:
            found[key] = parse_rules(stored[key])
            waiting |= segments_of(found[key])
    return found


def segment_queryset(*, rules: Rules, context: Context) -> QuerySet[EndUser]:
    """The end users that the rules select."""
    sql = audience_sql(rules, context)
    return EndUser.objects.filter(brand_id=context.brand_id, pk__in=RawSQL(sql.text, sql.params))  # noqa: S611  (values apart)


def audience_ids(*, rules: Rules, context: Context, end_user_ids: Collection[int]) -> set[int]:
    """Which of these end users are in the segment: one query, by index."""
    condition = condition_sql(rules.rule, context)
    found = statements.column(
        f"SELECT u.id FROM devices_enduser u WHERE u.brand_id = %s AND u.id = ANY(%s) AND ({condition.text})",
        [context.brand_id, list(end_user_ids), *condition.params],
    )
    return set(found)


def matches(*, rules: Rules, context: Context, end_user_id: int) -> bool:
    """Whether this end user is in the segment."""
    return bool(audience_ids(rules=rules, context=context, end_user_ids=[end_user_id]))
