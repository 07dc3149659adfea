"""What end users did."""

from segments.arguments import PROPERTY_KINDS, Param, ParamKind, Period, PropertyTest
from segments.conditions import Node, Related, Rows
from segments.core.properties import property_holds
from segments.fields import Asked, Build, Field, Reads, counted, register
from segments.operators import Kind, operator_of
from segments.sql import TRUE, Sql, fill
from segments.windows import Moment, window_around

_NAME = Param("name", "Which event", ParamKind.NAME, required=True)
_WHERE = Param("where", "With properties", ParamKind.WHERE, help="Of the same event, all of them.")
_WITHIN = Param("within", "When", ParamKind.PERIOD)
_ZONE = "z.time_zone"


def _rows(asked: Asked) -> Rows:
    where = fill("e.brand_id = {} AND e.name = {}", asked.context.brand_id, asked.given["name"])
    period: Period | None = asked.given.get("within")
    if period is not None:
        where = where & period.holds(Sql("e.occurred_at"), asked.context, Sql(_ZONE))
    for test in asked.given.get("where", ()):
        where = where & _test(test, asked)
    # The set of rows stands without the end user: whose clock it goes by is joined to it.
    source = (
        "devices_event e JOIN devices_enduser z ON z.id = e.end_user_id" if _by_own_clock(asked) else "devices_event e"
    )
    return Rows(Sql(source), "e.end_user_id", where)


def _by_own_clock(asked: Asked) -> bool:
    period: Period | None = asked.given.get("within")
    values = [asked.value, period and period.moment, *(test.value for test in asked.given.get("where", ()))]
    return any(isinstance(value, Moment) and value.zone == "user" for value in values)


def _test(test: PropertyTest, asked: Asked) -> Sql:
    kind = PROPERTY_KINDS[test.type]
    operator = operator_of(kind, test.operator)
    assert operator is not None
    positive = operator_of(kind, operator.complement_of) if operator.complement_of else operator
    assert positive is not None
    met = property_holds(
        operator=positive,
        value=test.value,
        document="e.properties",
        name=test.name,
        type_=test.type,
        context=asked.context,
        zone=_ZONE,
    )
    return fill("({}) IS NOT TRUE" if operator.complement_of else "({})", met)


def _that_decide(asked: Asked, function: str) -> Sql:
    """The last one lies in a window only where one lies behind its beginning, the first where one before its end."""
    if not isinstance(asked.value, Moment):
        return TRUE
    around = window_around(asked.value, asked.context)
    if function == "max":
        return fill("e.occurred_at >= {}", around.low) if around.low else TRUE
    return fill("e.occurred_at < {}", around.high) if around.high else TRUE


def _extreme(function: str) -> Build:
    def build(asked: Asked) -> Node:
        rows = _rows(asked)
        met = asked.holds(Sql(f"{function}(e.occurred_at)"), Sql(f"min({_ZONE})"))
        return Related((Rows(rows.source, rows.key, rows.where & _that_decide(asked, function), met),))

    return build


_EVENTS = frozenset({Reads.EVENTS})
register(
    Field(
        "event",
        "Event",
        Kind.COUNT,
        counted(_rows),
        _EVENTS,
        group="Events",
        params=(_NAME, _WITHIN, _WHERE),
        found_by="name",
        words="action activity behaviour did deposit purchase order payment page view click login",
        help="How often it happened. Fewer than, at most and did not happen are also true of those who never did it.",
    )
)
_WORDS = "action did deposit purchase order payment login"
for _name, _label, _function in (
    ("event_first", "First time of an event", "min"),
    ("event_last", "Last time of an event", "max"),
):
    register(
        Field(
            _name,
            _label,
            Kind.DATE,
            _extreme(_function),
            _EVENTS,
            group="Events",
            params=(_NAME, _WHERE),
            words=_WORDS,
        )
    )
