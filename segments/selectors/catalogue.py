"""What the builder offers, read from the registry alone: fields, their operators, arguments and choices."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from segments import fields, windows
from segments.arguments import PROPERTY_KINDS, Param, ParamKind
from segments.fields import Field, Variant
from segments.operators import OPERATORS, Kind, Operator
from segments.rules import MAX_DEPTH, MAX_RULES, VERSION
from segments.selectors.names.suggesting import suggests

# Values of these are picked or typed; others have a control of their own.
_PICKED = frozenset({Kind.CHOICE, Kind.MARKERS, Kind.LANGUAGE, Kind.TEXT, Kind.NUMBER, Kind.VERSION})


def segment_catalogue(*, brand_id: int, time_zone: str) -> dict[str, Any]:
    """Everything that the builder needs to know, in JSON."""
    entries = [
        _entry(field, variant, brand_id) for field in fields.all_fields() for variant in _variants(field, brand_id)
    ]
    return {
        "version": VERSION,
        "fields": entries,
        "units": [[name, label] for name, label in windows.UNITS.items()],
        "limits": {"depth": MAX_DEPTH, "rules": MAX_RULES},
        "time_zone": time_zone,
    }


def entry_named(*, name: str, brand_id: int) -> tuple[Field, Mapping[str, Any]] | None:
    """The field of an entry's id and the arguments that the entry sets; None when the brand has none of this id."""
    field = fields.get(name.split(":", 1)[0])
    if field is None:
        return None
    given = (variant.given for variant in _variants(field, brand_id) if _id(field, variant) == name)
    found = next(given, None)
    return None if found is None else (field, found)


def _variants(field: Field, brand_id: int) -> Sequence[Variant]:
    return field.variants(brand_id) if field.variants is not None else [Variant({}, field.label)]


def _id(field: Field, variant: Variant) -> str:
    told = [str(variant.given[param.name]) for param in field.params if _tells_apart(param, variant)]
    return ":".join([field.name, *told])


def _tells_apart(param: Param, variant: Variant) -> bool:
    return param.name in variant.given and param.kind is not ParamKind.TYPE


def _entry(field: Field, variant: Variant, brand_id: int) -> dict[str, Any]:
    kind = field.kind_of(variant.given)
    return {
        "id": _id(field, variant),
        "field": field.name,
        "params": dict(variant.given),
        "label": variant.label,
        "group": field.group,
        "help": field.help,
        "words": field.words,
        "kind": str(kind),
        "operators": _operators(field.operators(variant.given)),
        "choices": _choices(field, kind, brand_id),
        "suggest": kind in _PICKED and suggests(field=field, argument="value"),
        "args": list(_arguments(field, variant, brand_id)),
    }


def _choices(field: Field, kind: Kind, brand_id: int) -> list[dict[str, Any]]:
    pairs = field.value_choices(brand_id) if field.value_choices is not None else field.choices
    return [{"value": int(value) if kind is Kind.SEGMENT else value, "label": label} for value, label in pairs]


def _operators(operators: Sequence[Operator]) -> list[dict[str, str]]:
    return [
        {"name": item.name, "label": item.label, "shape": str(item.shape), "complement_of": item.complement_of}
        for item in operators
    ]


def _arguments(field: Field, variant: Variant, brand_id: int) -> Iterator[dict[str, Any]]:
    for param in field.params:
        if param.name in variant.given:
            continue
        entry: dict[str, Any] = {
            "name": param.name,
            "label": param.label,
            "kind": str(param.kind),
            "required": param.required,
            "help": param.help,
        }
        match param.kind:
            case ParamKind.CHOICE:
                entry["choices"] = [{"value": value, "label": label} for value, label in param.choices]
            case ParamKind.REFERENCE:
                found = param.brand_choices(brand_id) if param.brand_choices is not None else ()
                entry |= {"kind": "choice", "choices": [{"value": value, "label": label} for value, label in found]}
            case ParamKind.PERIOD:
                entry["operators"] = _operators([item for item in OPERATORS[Kind.DATE] if _gives_a_period(item)])
            case ParamKind.WHERE:
                entry["kinds"] = {name: _operators(OPERATORS[kind]) for name, kind in PROPERTY_KINDS.items()}
            case _:
                entry["suggest"] = suggests(field=field, argument=param.name)
        yield entry


def _gives_a_period(operator: Operator) -> bool:
    return not operator.complement_of and operator.name != "is_set"
