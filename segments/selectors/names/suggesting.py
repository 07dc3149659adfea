"""Values to pick while rules are written, from real data: always a bounded sample, whatever the size of the brand."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from segments.fields import Field, Suggestion
from segments.selectors.bounded import TooSlow, rows_within
from smartpush.common.language.languages import language_choice, language_short
from smartpush.common.time.moments import is_date

MOST = 50
MOST_EVENT_NAMES = 500
WITHIN = 1_500  # milliseconds
# Random end users by their bucket, which is a hash, and those who were here last: what is new is among them.
_PEOPLE = """
(SELECT {columns} FROM devices_enduser WHERE brand_id = %s ORDER BY bucket LIMIT 2000)
UNION ALL
(SELECT {columns} FROM devices_enduser WHERE brand_id = %s AND last_session_at IS NOT NULL
 ORDER BY last_session_at DESC LIMIT 1000)
"""
EVENT_NAMES = """
WITH RECURSIVE names AS (
  (SELECT name FROM devices_event WHERE brand_id = %s ORDER BY brand_id, name LIMIT 1)
  UNION ALL
  SELECT (SELECT e.name FROM devices_event e WHERE e.brand_id = %s AND e.name > n.name
          ORDER BY e.brand_id, e.name LIMIT 1)
  FROM names n WHERE n.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL LIMIT 500
"""
_EVENTS = """
SELECT properties FROM devices_event WHERE brand_id = %s AND name = %s AND occurred_at <= now() + interval '1 day'
ORDER BY occurred_at DESC LIMIT 1000
"""

# (brand_id, argument or "value", the arguments given so far, what was typed) -> values to pick
Source = Callable[[int, str, Mapping[str, str], str], Sequence[Suggestion]]


def suggests(*, field: Field, argument: str) -> bool:
    """Whether there are suggestions for this argument of the field (or for its "value")."""
    if field.suggest is not None:
        return True
    source = SOURCES.get(field.name)
    return source is not None and (argument == "value") != (field.name in _OF_ARGUMENTS)


def suggestions(
    *, field: Field, brand_id: int, argument: str, given: Mapping[str, str], typed: str
) -> Sequence[Suggestion]:
    """At most 50 values that have what was typed in them, the most frequent first; none when reading them is slow."""
    wanted = typed.replace("\x00", "").strip()
    return _picked(candidates(field=field, brand_id=brand_id, argument=argument, given=given, typed=wanted), wanted)


def candidates(
    *, field: Field, brand_id: int, argument: str, given: Mapping[str, str], typed: str = ""
) -> Sequence[Suggestion]:
    """Return the names to pick from, whatever was typed; none when reading them is slow."""
    source = field.suggest or SOURCES.get(field.name)
    if source is None:
        return []
    try:
        return source(brand_id, argument, given, typed)
    except TooSlow:
        return []


def _picked(found: Iterable[Suggestion], typed: str) -> Sequence[Suggestion]:
    low = typed.casefold()
    kept = [item for item in found if low in item.label.casefold() or low in item.value.casefold()]
    begins = [item for item in kept if item.value.casefold().startswith(low)]
    return [*begins, *(item for item in kept if not item.value.casefold().startswith(low))][:MOST]


def _counted(values: Iterable[str]) -> list[Suggestion]:
    counts = Counter(values)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Suggestion(value, value, count) for value, count in ordered]


def _sampled(expression: str, brand_id: int, params: Sequence[Any] = (), source: str = "") -> list[Suggestion]:
    """Values of an expression over the sampled end users, by how many of them have it."""
    people = _PEOPLE.format(columns="id, " + (source or expression) + " AS found")
    text = f"""
        SELECT value, count(*) FROM (SELECT DISTINCT id, {"unnest(found)" if not source else expression} AS value
        FROM ({people}) p) v WHERE value IS NOT NULL AND value <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1000
    """
    rows = rows_within(text=text, params=[*params, brand_id, brand_id], milliseconds=WITHIN)
    return [Suggestion(value, value, count) for value, count in rows]


def of_markers(column: str) -> Source:
    """Markers that end users carry."""
    return lambda brand_id, argument, given, typed: _sampled(column, brand_id)


def of_profile(column: str) -> Source:
    """Values of a column of the end user's own row."""
    return lambda brand_id, argument, given, typed: _sampled("found", brand_id, source=column)


def of_languages(brand_id: int, argument: str, given: Mapping[str, str], typed: str) -> Sequence[Suggestion]:
    """Languages of end users, by their tags and by their English names."""
    counts: Counter[str] = Counter()
    for found in _sampled("found", brand_id, source="language_canonical"):
        counts[language_short(found.value)] += found.count or 0
    return [Suggestion(tag, language_choice(tag), count) for tag, count in counts.most_common()]


def of_property(brand_id: int, argument: str, given: Mapping[str, str], typed: str) -> Sequence[Suggestion]:
    """Values of the custom property in `name`."""
    if given.get("type") not in ("text", "number"):
        return []
    wanted = "string" if given["type"] == "text" else "number"
    expression = "CASE WHEN jsonb_typeof(found->%s) = %s THEN left(found->>%s, 255) END"
    params = (given["name"], wanted, given["name"])
    return _sampled(expression, brand_id, params, source="properties")


def of_events(brand_id: int, argument: str, given: Mapping[str, str], typed: str) -> Sequence[Suggestion]:
    """Names of events; names of properties of one (`where`); values of one of these (`where_value`)."""
    if argument == "name":
        rows = rows_within(text=EVENT_NAMES, params=[brand_id, brand_id], milliseconds=WITHIN)
        return [Suggestion(name, name) for (name,) in rows]
    if argument not in ("where", "where_value") or not given.get("name"):
        return []
    rows = rows_within(text=_EVENTS, params=[brand_id, given["name"]], milliseconds=WITHIN)
    documents = [json.loads(properties) for (properties,) in rows]  # Django leaves jsonb as text to its JSONField
    if argument == "where":
        return _property_names(documents)
    return _property_values(documents, given.get("property", ""))


def _property_names(documents: Iterable[object]) -> list[Suggestion]:
    counts: Counter[str] = Counter()
    types: dict[str, Counter[str]] = {}
    for document in documents:
        for name, value in _pairs(document):
            type_ = _type(value)
            if type_:
                counts[name] += 1
                types.setdefault(name, Counter())[type_] += 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Suggestion(name, name, count, types[name].most_common(1)[0][0]) for name, count in ordered]


def _property_values(documents: Iterable[object], name: str) -> list[Suggestion]:
    values = (value for document in documents for key, value in _pairs(document) if key == name)
    return _counted(
        str(value)[:255] for value in values if isinstance(value, str | int | float) and not isinstance(value, bool)
    )


def _pairs(document: object) -> Iterable[tuple[str, Any]]:
    return document.items() if isinstance(document, dict) else ()


def _type(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    return ("date" if is_date(value) else "text") if isinstance(value, str) else ""


# For fields that bring no suggestions of their own.
SOURCES: Mapping[str, Source] = {
    "js_markers": of_markers("js_markers"),
    "external_markers": of_markers("external_markers"),
    "backoffice_markers": of_markers("backoffice_markers"),
    "language": of_languages,
    "country": of_profile("country"),
    "time_zone": of_profile("time_zone"),
    "property": of_property,
    "event": of_events,
    "event_first": of_events,
    "event_last": of_events,
}
_OF_ARGUMENTS = frozenset({"event", "event_first", "event_last"})
