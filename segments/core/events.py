"""What end users did."""

from segments.arguments import PROPERTY_KINDS, Param, ParamKind, Period, PropertyTest
from segments.conditions import Node, Related, Rows
from segments.core.properties import typed
from segments.fields import Asked, Build, Field, Reads, counted, register
from segments.operators import Kind, Subject, operator_of
from segments.sql import Sql, fill

_NAME = Param("name", "Which event", ParamKind.NAME, required=True)
_WHERE = Param("where", "With properties", ParamKind.WHERE)
_WITHIN = Param("within", "When", ParamKind.PERIOD)


def _rows(asked: Asked) -> Rows:
    where = fill("e.brand_id = {} AND e.name = {}", asked.context.brand_id, asked.given["name"])
    source = Sql("devices_event e")
    period: Period | None = asked.given.get("within")
    if period is not None:
        if period.moment.zone == "user":
            source = Sql("devices_event e JOIN devices_enduser z ON z.id = e.end_user_id")
        where = where & period.holds(Sql("e.occurred_at"), asked.context, Sql("z.time_zone"))
    for test in asked.given.get("where", ()):
        where = where & _test(test, asked)
    return Rows(source, "e.end_user_id", where)


def _test(test: PropertyTest, asked: Asked) -> Sql:
    kind = PROPERTY_KINDS[test.type]
    operator = operator_of(kind, test.operator)
    assert operator is not None
    positive = operator_of(kind, operator.complement_of) if operator.complement_of else operator
    assert positive is not None and positive.means is not None
    met = positive.means(Subject(typed("e.properties", test.name, test.type), asked.context), test.value)
    return fill("({}) IS NOT TRUE" if operator.complement_of else "({})", met)


def _extreme(function: str) -> Build:
    def build(asked: Asked) -> Node:
        rows = _rows(asked)
        met = asked.holds(Sql(f"{function}(e.occurred_at)"))
        return Related((Rows(rows.source, rows.key, rows.where, met),))

    return build


_EVENTS = frozenset({Reads.EVENTS})
register(Field("event", "Event", Kind.COUNT, counted(_rows), _EVENTS, group="Events", params=(_NAME, _WITHIN, _WHERE)))
for _name, _label, _function in (
    ("event_first", "First time of an event", "min"),
    ("event_last", "Last time of an event", "max"),
):
    register(Field(_name, _label, Kind.DATE, _extreme(_function), _EVENTS, group="Events", params=(_NAME, _WHERE)))
