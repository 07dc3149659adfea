"""Custom properties: each brand has its own, typed by their first value."""

from collections.abc import Mapping, Sequence
from typing import Any

from devices.models import PropertyDefinition
from segments.arguments import PROPERTY_KINDS, Param, ParamKind
from segments.conditions import Context, Node, Predicate
from segments.fields import Asked, Field, Reads, Variant, register
from segments.operators import Kind, Subject
from segments.sql import Sql, fill

_TYPED = {
    "text": "CASE WHEN jsonb_typeof({doc}->{name}) = 'string' THEN {doc}->>{name} END",
    "number": "CASE WHEN jsonb_typeof({doc}->{name}) = 'number' THEN ({doc}->{name})::numeric END",
    "boolean": "CASE WHEN jsonb_typeof({doc}->{name}) = 'boolean' THEN ({doc}->{name})::boolean END",
    "date": "({doc}->{name})",
}


def subject(*, document: str, name: str, type_: str, context: Context, zone: str) -> Subject:
    """The property of a JSON object as what an operator is asked of: missing where it is absent or of another type."""
    typed = fill(_TYPED[type_], doc=Sql(document), name=name)
    return Subject(typed, context, Sql(zone), stored=type_ == "date")


def _property(asked: Asked) -> Node:
    name, type_ = asked.given["name"], asked.given["type"]
    found = subject(document="u.properties", name=name, type_=type_, context=asked.context, zone="u.time_zone")
    assert asked.operator.means is not None
    return Predicate(asked.operator.means(found, asked.value))


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
        help="A value of another type counts as not known. A date without a time zone is by the clock that the rule"
        " goes by.",
    )
)
