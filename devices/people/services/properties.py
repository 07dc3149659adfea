"""Custom properties: each has one type in a brand, taken from its first value; later values must agree."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from devices.people.models import PropertyDefinition
from smartpush.common.calls.left_out import LeftOut, LeftOutCode, path_of
from smartpush.common.time.moments import is_date

MAX_DEFINITIONS = 1000  # of a brand
MAX_STORED = 200  # of an end user
MAX_STORED_BYTES = 32_768
_Type = PropertyDefinition.Type
_WORDS = {"text": "text", "number": "a number", "boolean": "true or false", "date": "an ISO 8601 date"}


def type_of(value: Any) -> str:
    """The type that a first value gives a property."""
    if isinstance(value, bool):
        return _Type.BOOLEAN
    if isinstance(value, int | float):
        return _Type.NUMBER
    return _Type.DATE if is_date(value) else _Type.TEXT


def _agrees(kind: str, value: Any) -> bool:
    if kind == _Type.TEXT:
        return isinstance(value, str)
    if kind == _Type.DATE:
        return is_date(value)
    if kind == _Type.BOOLEAN:
        return isinstance(value, bool)
    return isinstance(value, int | float) and not isinstance(value, bool)


def problem_of(types: Mapping[str, str], properties: Mapping[str, Any]) -> str | None:
    """What keeps these values from being written under these types, in a sentence; None when nothing does."""
    for name, value in properties.items():
        kind = types.get(name)
        if value is not None and kind is not None and not _agrees(kind, value):
            return f"properties.{name} is {_WORDS[kind]} in this brand; this value is not."
    return None


def types_of(*, brand_id: int, names: Collection[str] | None = None) -> dict[str, str]:
    """The types of a brand's properties: of all, or of these."""
    found = PropertyDefinition.objects.filter(brand_id=brand_id)
    if names is not None:
        found = found.filter(name__in=names)
    return dict(found.values_list("name", "type"))


def types_learn(*, brand_id: int, known: Mapping[str, str], rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Give a type to every name that is new in these rows, and return all types as they are from now on.

    A row that will be refused gives nothing a type. Of two calls that name a property at once the first decides.
    Names beyond a thousand get none; the caller refuses them.
    """
    types = dict(known)
    fresh: dict[str, str] = {}
    for row in rows:
        if problem_of(types, row) is not None:
            continue
        for name, value in row.items():
            if value is not None and name not in types and len(types) < MAX_DEFINITIONS:
                types[name] = fresh[name] = type_of(value)
    if not fresh:
        return types
    PropertyDefinition.objects.bulk_create(
        [PropertyDefinition(brand_id=brand_id, name=name, type=fresh[name]) for name in sorted(fresh)],
        ignore_conflicts=True,
    )
    stored = PropertyDefinition.objects.filter(brand_id=brand_id, name__in=list(fresh)).values_list("name", "type")
    return {**types, **dict(stored)}


def name_shows(name: str) -> bool:
    """Whether every character of a name can be seen: two names that look the same would be two properties."""
    return bool(name) and name.isprintable()


def properties_set(stored: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is stored with what is given; null removes."""
    return {name: value for name, value in {**stored, **given}.items() if value is not None or name not in given}


def properties_too_many(*, stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether the wanted ones pass a limit and pass it by more than those stored: less is always taken."""
    return len(stored) < len(wanted) > MAX_STORED or _bytes_of(stored) < _bytes_of(wanted) > MAX_STORED_BYTES


def properties_fill(
    *, stored: Mapping[str, Any], given: Mapping[str, Any], types: Mapping[str, str]
) -> tuple[dict[str, Any], list[LeftOut]]:
    """Return what is stored with those of the given ones that can be kept, and the others: null removes.

    Left out is what is of another type, has a name that cannot be seen, or passes the limits once they are reached.
    """
    kept = properties_set(stored, {name: None for name, value in given.items() if value is None})
    size = _bytes_of(kept)
    left_out = []
    for name, value in given.items():
        if value is None:
            continue
        before = _bytes_of({name: kept[name]}) if name in kept else 0
        grown = _bytes_of({name: value}) - before
        if not name_shows(name):
            why = LeftOutCode.CHARACTERS, "The name has characters that cannot be seen."
        elif problem_of(types, {name: value}) is not None:
            why = LeftOutCode.PROPERTY_TYPE, f"It is {_WORDS[types[name]]} in this brand; this value is not."
        elif name not in kept and len(kept) >= MAX_STORED:
            why = LeftOutCode.TOO_MANY, f"An end user has {MAX_STORED} properties at most."
        elif grown > 0 and size + grown > MAX_STORED_BYTES:
            why = LeftOutCode.TOO_LARGE, f"An end user has {MAX_STORED_BYTES} bytes of properties at most."
        else:
            kept[name] = value
            size += grown
            continue
        left_out.append(LeftOut(path_of("properties", name), *why))
    return kept, left_out


def _bytes_of(properties: Mapping[str, Any]) -> int:
    """As JSON in UTF-8. Each pair adds the same alone and among others: the braces count as comma and blank."""
    return len(json.dumps(properties, ensure_ascii=False).encode()) if properties else 0
