"""Custom properties: each brand has its own, typed by their first value."""

from collections.abc import Mapping, Sequence
from typing import Any

from devices.models import PropertyDefinition
from segments.arguments import PROPERTY_KINDS, Param, ParamKind
from segments.conditions import Context, Node, Predicate
from segments.fields import Asked, Field, Reads, Variant, register
from segments.operators import Kind, Operator, Subject
from segments.sql import Sql, fill

_TYPED = {
    "text": "({doc}->>{name})",
    "number": "CASE WHEN jsonb_typeof({doc}->{name}) = 'number' THEN ({doc}->{name})::numeric END",
    "boolean": "CASE WHEN jsonb_typeof({doc}->{name}) = 'boolean' THEN ({doc}->{name})::boolean END",
    "date": "({doc}->{name})",
}


def property_holds(
    *, operator: Operator, value: Any, document: str, name: str, type_: str, context: Context, zone: str
) -> Sql:
    """What an operator says of a property of a JSON object: one that is absent or of another type is missing."""
    assert operator.means is not None
    typed = fill(_TYPED[type_], doc=Sql(document), name=name)
    met = operator.means(Subject(typed, context, Sql(zone), stored=type_ == "date"), value)
    if type_ != "text":
        return met
    # Everything reads as text, so what is met comes first, and few are left whose type must be looked at.
    return fill("({}) AND jsonb_typeof({}->{}) = 'string'", met, Sql(document), name)


def _property(asked: Asked) -> Node:
    met = property_holds(
        operator=asked.operator,
        value=asked.value,
        document="u.properties",
        name=asked.given["name"],
        type_=asked.given["type"],
        context=asked.context,
        zone="u.time_zone",
    )
    return Predicate(met)


def _kind(given: Mapping[str, Any]) -> Kind:
    return PROPERTY_KINDS[given.get("type", "text")]


def _variants(brand_id: int) -> Sequence[Variant]:
    found = PropertyDefinition.objects.filter(brand_id=brand_id).order_by("name")
    return [Variant({"name": name, "type": type_}, name) for name, type_ in found.values_list("name", "type")]


register(
    Field(
        "property",
        "Property",
        _kind,
        _property,
        frozenset({Reads.PROFILE}),
        group="Properties",
        params=(
            Param("name", "Which property", ParamKind.NAME, required=True),
            Param("type", "Its type", ParamKind.TYPE, required=True),
        ),
        variants=_variants,
        words="attribute trait custom field value",
        help="A value of another type counts as not known. A date without a time zone is by the clock that the rule"
        " goes by.",
    )
)
