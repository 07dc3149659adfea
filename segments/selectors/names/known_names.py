"""Names that a brand's own data knows: a name that nobody has is allowed, and is most often a slip of the pen.

Each kind of name is read once for all that is asked, and never more than a bounded part of the data. Where reading
takes too long nothing is said: a warning that may be wrong is worse than none.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from devices.models import Brand, PropertyDefinition, PushCategory
from segments import fields
from segments.operators import Kind
from segments.rules import Condition, RuleProblem, Rules, conditions_of
from segments.selectors.bounded import TooSlow, rows_within
from segments.selectors.names import suggesting
from segments.selectors.names.nearness import nearest
from segments.selectors.names.suggesting import EVENT_NAMES, MOST_EVENT_NAMES, of_markers

OWN_PROPERTIES = ("external_id", "language")
OWN_EVENTS = ("session", "login")
_MOST_PROPERTIES = 1_000

# Whether the brand has any event of these names: one probe of the index for each.
_EVENTS_THERE = """
SELECT w.name FROM unnest(%s::text[]) AS w(name)
WHERE EXISTS (SELECT FROM devices_event e WHERE e.brand_id = %s AND e.name = w.name)
"""
# Properties of an event's newest rows; without a name those of a few rows of each of the first hundred events.
_OF_EVENT = """
SELECT properties FROM devices_event WHERE brand_id = %s AND name = %s ORDER BY occurred_at DESC LIMIT 1000
"""
_OF_EVENTS = """
SELECT e.properties FROM unnest(%s::text[]) AS n(name) CROSS JOIN LATERAL (
  SELECT properties FROM devices_event WHERE brand_id = %s AND name = n.name ORDER BY occurred_at DESC LIMIT 20) e
"""
# Which of these markers anybody carries; rare ones alone are asked for, so that the index answers at once.
_CARRIED = """
SELECT w.marker FROM unnest(%s::text[]) AS w(marker)
WHERE EXISTS (SELECT FROM devices_enduser u WHERE u.brand_id = %s AND u.{column} @> ARRAY[w.marker]::varchar[])
"""


class KnownNames:
    """Names that one brand's data knows, read when first asked for; each check gives a sentence, or nothing."""

    def __init__(self, *, brand: Brand) -> None:
        self.brand = brand
        self._of_event: dict[str, Sequence[str] | None] = {}
        self._carried: dict[str, Sequence[str] | None] = {}
        self._probed: dict[str, bool] = {}

    # --- what is known ---
    @cached_property
    def properties(self) -> Sequence[str]:
        """Names of the people's properties, ours first."""
        rows = PropertyDefinition.objects.filter(brand_id=self.brand.pk).order_by("name")
        return [*OWN_PROPERTIES, *rows.values_list("name", flat=True)[:_MOST_PROPERTIES]]

    @cached_property
    def _events(self) -> Sequence[str] | None:
        rows = _rows(EVENT_NAMES, [self.brand.pk, self.brand.pk])
        return None if rows is None else [name for (name,) in rows]

    @property
    def events(self) -> Sequence[str]:
        """Names of events that happened, ours first."""
        return list(dict.fromkeys([*OWN_EVENTS, *(self._events or ())]))

    def event_properties(self, event: str = "") -> Sequence[str] | None:
        """Names of the properties that an event came with lately (none given: any event); None where none came."""
        if event not in self._of_event:
            brand_id = self.brand.pk
            text, params = (_OF_EVENT, [brand_id, event]) if event else (_OF_EVENTS, [self.events[:100], brand_id])
            rows = _rows(text, params)
            self._of_event[event] = _keys(rows) if rows else None
        return self._of_event[event]

    def markers(self, kind: str) -> Sequence[str] | None:
        """Markers that people carry, of a kind such as js_markers, with those of the push categories."""
        if kind not in self._carried:
            offered = PushCategory.objects.filter(brand_id=self.brand.pk) if kind == "js_markers" else ()
            with suppress(TooSlow):
                sampled = [item.value for item in of_markers(kind)(self.brand.pk, "value", {}, "")]
                self._carried[kind] = [*sampled, *(row.marker for row in offered)]
            self._carried.setdefault(kind, None)
        return self._carried[kind]

    # --- what is not ---
    def property_warning(self, name: str, *, guarded: bool = False) -> str:
        """Say that nobody has a property of this name; empty where somebody may have, or nobody has any yet.

        `guarded`: a default stands in for it, so that only a slip of the pen is worth a word.
        """
        if name in self.properties or len(self.properties) == len(OWN_PROPERTIES):
            return ""
        if len(self.properties) >= _MOST_PROPERTIES and self._has_property(name):
            return ""
        meant = _meant(name, self.properties)
        return "" if guarded and not meant else f"Nobody of {self.brand.name} has a property “{name}”.{meant}"

    def event_warning(self, name: str) -> str:
        """Say that no event of this name has happened; empty where one has, or none but ours has yet."""
        if name in self.events or set(self.events) == set(OWN_EVENTS) or self._has_event(name):
            return ""
        return f"{self.brand.name} has never had an event “{name}”.{_meant(name, self.events)}"

    def event_property_warning(self, name: str, event: str = "", *, guarded: bool = False) -> str:
        """Say that an event (none given: any) came without such a property; empty where one had it, or none came.

        Of any event nothing is said either while none has come with a property. `guarded`: as in property_warning.
        """
        known = self.event_properties(event)
        if known is None or name in known or not (event or known):
            return ""
        meant = _meant(name, known)
        if guarded and not meant:
            return ""
        what = f"The event “{event}” has" if event else f"No event of {self.brand.name} has"
        return f"{what} {'no' if event else 'a'} property “{name}”.{meant}"

    def marker_warning(self, name: str, kind: str) -> str:
        """Say that nobody carries this marker; empty where somebody does."""
        known = self.markers(kind)
        if known is None or name in known or self._is_carried(name, kind):
            return ""
        label = {"js_markers": "JS", "external_markers": "external"}.get(kind, "back-office")
        return f"Nobody of {self.brand.name} carries the {label} marker “{name}”.{_meant(name, known)}"

    def value_warning(self, root: str, name: str, event: str | None = "", *, guarded: bool = False) -> str:
        """Check a value that a text names, such as user.first_name; `event` is what brings its event (None: none).

        `guarded`: the text has a default for those without it.
        """
        if root == "user":
            return self.property_warning(name, guarded=guarded)
        if root == "brand":
            return "" if name == "name" else f"A brand has no value “{name}”: there is only brand.name."
        if event is None:
            return f"No event begins this campaign, so that “event.{name}” is empty for everybody."
        return self.event_property_warning(name, event, guarded=guarded)

    def rule_warnings(self, rules: Rules) -> list[RuleProblem]:
        """Return the names in the rules that the data does not know, each with its path."""
        return [
            RuleProblem(f"{path}.{place}", message)
            for path, rule in conditions_of(rules)
            for place, message in self._of_condition(rule)
            if message
        ]

    def _of_condition(self, rule: Condition) -> Iterator[tuple[str, str]]:
        field = fields.get(rule.field)
        if field is None:
            return
        name = rule.given.get("name", "")
        if rule.field == "property":
            yield "params.name", self.property_warning(name)
        elif field.group == "Events" and name:
            warning = self.event_warning(name)
            yield "params.name", warning
            if not warning:
                for number, test in enumerate(rule.given.get("where", ())):
                    yield f"params.where[{number}].name", self.event_property_warning(test.name, name)
        elif field.kind is Kind.MARKERS:
            values = (rule.value,) if isinstance(rule.value, str) else rule.value
            for value in values if isinstance(values, tuple | list | frozenset) else ():
                yield "value", self.marker_warning(value, rule.field)

    # --- probes: for a brand with more names than a list holds ---
    def _has_property(self, name: str) -> bool:
        return PropertyDefinition.objects.filter(brand_id=self.brand.pk, name=name).exists()

    def _has_event(self, name: str) -> bool:
        return len(self._events or ()) >= MOST_EVENT_NAMES and self._probe(_EVENTS_THERE, name)

    def _is_carried(self, name: str, kind: str) -> bool:
        return self._probe(_CARRIED.format(column=kind), name)

    def _probe(self, text: str, name: str) -> bool:
        """Ask about one name; one that is too slow to find counts as there."""
        key = f"{text}\x00{name}"
        if key not in self._probed:
            rows = _rows(text, [[name], self.brand.pk])
            self._probed[key] = rows is None or bool(rows)
        return self._probed[key]


def _meant(name: str, known: Collection[str]) -> str:
    found = nearest(name, known)
    return f" Did you mean “{found}”?" if found else ""


def _rows(text: str, params: Sequence[Any]) -> list[tuple[Any, ...]] | None:
    """The rows of a statement; None where it took too long."""
    try:
        return rows_within(text=text, params=params, milliseconds=suggesting.WITHIN)
    except TooSlow:
        return None


def _keys(rows: Sequence[tuple[Any, ...]]) -> Sequence[str]:
    """Names in documents, those first that most have; Django leaves jsonb as text to its JSONField."""
    counts: dict[str, int] = {}
    for (text,) in rows:
        document = json.loads(text)
        for name in document if isinstance(document, Mapping) else ():
            counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda name: (-counts[name], name))
