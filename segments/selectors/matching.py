"""Who matches rules: as ids, as a set inside a statement, or one end user rule by rule."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from devices.models import Brand, EndUser
from segments.compiler import audience_sql, judge_each, judge_sql
from segments.conditions import Context
from segments.models import Segment
from segments.references import inlined
from segments.rules import AllOf, Condition, Not, Rule, Rules, parse_rules, segments_of


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


def matching_ids(*, rules: Rules, context: Context, end_user_ids: Collection[int]) -> set[int]:
    """Which of these end users are in the segment: one query, by index."""
    condition = judge_sql(rules.rule, context)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT u.id FROM devices_enduser u WHERE u.brand_id = %s AND u.id = ANY(%s) AND ({condition.text})",
            [context.brand_id, list(end_user_ids), *condition.params],
        )
        return {row[0] for row in cursor.fetchall()}


def matches(*, rules: Rules, context: Context, end_user_id: int) -> bool:
    """Whether this end user is in the segment."""
    return bool(matching_ids(rules=rules, context=context, end_user_ids=[end_user_id]))


def rules_judged(*, rules: Rules, context: Context, end_user_id: int) -> dict[str, bool] | None:
    """Path of each group and rule to whether it holds of this end user: one query; None without such an end user.

    Raises TooLarge where the segments that are named grow too many.
    """
    inlined(rules, context.segments)  # all of them together: a condition alone may be small enough
    each = list(judge_each(rules, context))
    # One array, since a row has 1,664 columns at most.
    held = ", ".join(f"({condition.text}) IS TRUE" for _, condition in each)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT ARRAY[{held}]::boolean[] FROM devices_enduser u WHERE u.brand_id = %s AND u.id = %s",
            [*(param for _, condition in each for param in condition.params), context.brand_id, end_user_id],
        )
        row: tuple[Any, ...] | None = cursor.fetchone()
    if row is None:
        return None
    found: dict[str, bool] = {}
    _judge("rule", rules.rule, {path: bool(held) for (path, _), held in zip(each, row[0], strict=True)}, found)
    return found


def _judge(path: str, rule: Rule, leaves: Mapping[str, bool], found: dict[str, bool]) -> bool:
    """Whether a group holds, by those in it; every part is judged, for showing all of them."""
    found[path] = False  # outer ones come first
    if isinstance(rule, Condition):
        found[path] = leaves[path]
    elif isinstance(rule, Not):
        found[path] = not _judge(f"{path}.not", rule.rule, leaves, found)
    else:
        every = isinstance(rule, AllOf)
        kind = "all" if every else "any"
        parts = [_judge(f"{path}.{kind}[{n}]", item, leaves, found) for n, item in enumerate(rule.rules)]
        found[path] = all(parts) if every else any(parts)
    return found[path]
