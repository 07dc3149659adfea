"""Rules + brand + now -> database conditions.

Two forms of the same meaning. The *set* form finds everybody: each condition on another table is a set that
PostgreSQL joins by hash (`id IN (...)`, and NOT EXISTS for its opposite, since NOT IN over a large set degrades to a
scan per row); a group of alternatives with such a set in it becomes a union, because an OR of sets cannot be joined.
The *probe* form asks about a few known end users: EXISTS by index, so that an event costs no walk over the brand.
Negations are pushed down to the conditions first (no comparison here meets a null, so De Morgan holds).
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Exists, OuterRef, Q, QuerySet

from devices.models import EndUser
from segments import fields
from segments.fields import Context, Never, Related, Rows
from segments.rules import AllOf, AnyOf, Condition, Not, Rule, Rules

_EVERYBODY = Q(pk__isnull=False)


def compile_rules(rules: Rules, brand_id: int, now: datetime) -> Q:
    """The rules as a Q on EndUser for finding everybody in a segment; the brand itself is part of it."""
    context = Context(brand_id, now)
    return Q(brand_id=brand_id) & _set_form(_leaves(rules.rule, context, negated=False), context)


def segment_queryset(rules: Rules, brand_id: int, now: datetime) -> QuerySet[EndUser]:
    """The end users that the rules select."""
    return EndUser.objects.filter(compile_rules(rules, brand_id, now))


def compile_sql(rules: Rules, brand_id: int, now: datetime) -> tuple[str, tuple[Any, ...]]:
    """`SELECT id ...` of the selected end users, with its parameters, to stand inside a set statement."""
    query = segment_queryset(rules, brand_id, now).order_by().values("id").query
    try:
        sql, params = query.get_compiler(connection=connections[DEFAULT_DB_ALIAS]).as_sql()
    except EmptyResultSet:
        return "SELECT id FROM devices_enduser WHERE false", ()
    return sql, tuple(params)


def matching_ids(rules: Rules, end_user_ids: Collection[int], brand_id: int, now: datetime) -> set[int]:
    """Which of these end users are in the segment: one query, by index."""
    context = Context(brand_id, now)
    condition = _probe_form(_leaves(rules.rule, context, negated=False))
    found = EndUser.objects.filter(condition, brand_id=brand_id, pk__in=list(end_user_ids))
    return set(found.values_list("pk", flat=True))


def matches(rules: Rules, end_user_id: int, brand_id: int, now: datetime) -> bool:
    """Whether this end user is in the segment."""
    return bool(matching_ids(rules, [end_user_id], brand_id, now))


class _Group:
    """A group without negations: `every` for all, otherwise any."""

    def __init__(self, *, every: bool, parts: "Iterable[_Part]") -> None:
        self.every = every
        self.parts = tuple(parts)


_Part = Q | Related | Never | _Group


def _leaves(rule: Rule, context: Context, *, negated: bool) -> _Part:
    """The rule with its negations moved down to the conditions."""
    if isinstance(rule, Not):
        return _leaves(rule.rule, context, negated=not negated)
    if isinstance(rule, AllOf | AnyOf):
        every = isinstance(rule, AllOf) is not negated
        return _Group(every=every, parts=(_leaves(item, context, negated=negated) for item in rule.rules))
    condition = _condition(rule, context)
    if not negated:
        return condition
    if isinstance(condition, Related):
        return Never(condition)
    return condition.related if isinstance(condition, Never) else ~condition


def _condition(rule: Condition, context: Context) -> Q | Related | Never:
    field = fields.get(rule.field)
    if field is None:
        raise LookupError(f"There is no segment field named {rule.field}.")
    return field.build(rule.operator, rule.value, context)


def _exists(rows: Rows) -> Exists:
    return Exists(rows.queryset.filter(**{rows.column: OuterRef("pk")}))


def _none_of(related: Related) -> Q:
    condition = Q()
    for rows in related.rows:
        condition &= Q(~_exists(rows))
    return condition


def _ids(rows: Rows) -> QuerySet[Any, Any]:
    return rows.queryset.filter(**{f"{rows.column.removesuffix('_id')}__isnull": False}).order_by().values(rows.column)


def _has_sets(part: _Part) -> bool:
    return not isinstance(part, Q) and (not isinstance(part, _Group) or any(_has_sets(item) for item in part.parts))


def _set_form(part: _Part, context: Context) -> Q:
    if isinstance(part, Q):
        return part
    if isinstance(part, Related):
        first, *others = (_ids(rows) for rows in part.rows)
        return Q(pk__in=first.union(*others) if others else first)
    if isinstance(part, Never):
        return _none_of(part.related)
    if part.every:
        condition = _EVERYBODY if not part.parts else Q()
        for item in part.parts:
            condition &= _set_form(item, context)
        return condition
    if not part.parts:
        return ~_EVERYBODY
    if len(part.parts) == 1 or not _has_sets(part):
        condition = Q()
        for item in part.parts:
            condition |= _set_form(item, context)
        return condition
    first, *others = (
        EndUser.objects.filter(_set_form(item, context), brand_id=context.brand_id).order_by().values("pk")
        for item in part.parts
    )
    return Q(pk__in=first.union(*others))


def _probe_form(part: _Part) -> Q:
    if isinstance(part, Q):
        return part
    if isinstance(part, Never):
        return _none_of(part.related)
    condition = Q()
    if isinstance(part, Related):
        for rows in part.rows:
            condition |= Q(_exists(rows))
        return condition
    if not part.parts:
        return _EVERYBODY if part.every else ~_EVERYBODY
    for item in part.parts:
        condition = condition & _probe_form(item) if part.every else condition | _probe_form(item)
    return condition
