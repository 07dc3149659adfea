"""A few of those whom rules select, with the reasons, and one end user evaluated rule by rule."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.models import EndUser
from segments.compiler import audience_where, condition_sql
from segments.conditions import Context
from segments.describe import describe
from segments.rules import VERSION, AllOf, Condition, Not, Rule, Rules, conditions_of, parts_of
from segments.selectors.bounded import Superseded, TooSlow, rows_within
from segments.selectors.names.words import names_in
from segments.sql import Sql, fill

_RECENT_SECONDS = 0.8
_ALL_SECONDS = 4.0


@dataclass(frozen=True)
class Person:
    """An end user and the rules that hold of them, in words."""

    end_user: EndUser
    reasons: Sequence[str]


def audience_sample(*, rules: Rules, context: Context, size: int = 5) -> Sequence[Person]:
    """Some of those whom the rules select, those seen last first; raises TooSlow.

    They are looked for among those seen last, one by one; only where these are too few is everybody gone through.
    """
    found = _among_recent(rules, context, size)
    if len(found) < size:
        where = audience_where(rules, context)
        everybody = fill(
            "SELECT u.id FROM devices_enduser u WHERE {}"
            " ORDER BY u.last_session_at DESC NULLS LAST, u.id DESC LIMIT {}",
            where,
            size,
        )
        try:
            found = rows_within(text=everybody.text, params=everybody.params, milliseconds=int(_ALL_SECONDS * 1000))
        except TooSlow:
            if not found:
                raise
    people = EndUser.objects.defer("properties").in_bulk([pk for (pk,) in found])
    ordered = [people[pk] for (pk,) in found if pk in people]
    checks = checks_of(rules=rules, context=context, end_user_ids=[person.pk for person in ordered])
    words = _words(rules, context.brand_id)
    return [Person(person, [words[path] for path in words if checks[person.pk][path]]) for person in ordered]


def _among_recent(rules: Rules, context: Context, size: int) -> list[tuple[Any, ...]]:
    """The last ones seen, evaluated by index: a few hundred first, which is enough for most rules."""
    condition, found = condition_sql(rules.rule, context), []
    until = time.monotonic() + _RECENT_SECONDS
    for looked_at in (300, 3_000):
        recent = fill(
            "SELECT u.id FROM (SELECT * FROM devices_enduser WHERE brand_id = {} AND last_session_at IS NOT NULL"
            " ORDER BY last_session_at DESC LIMIT {}) u WHERE ({}) ORDER BY u.last_session_at DESC LIMIT {}",
            context.brand_id,
            looked_at,
            condition,
            size,
        )
        try:
            milliseconds = int((until - time.monotonic()) * 1000)
            found = rows_within(text=recent.text, params=recent.params, milliseconds=milliseconds)
        except Superseded:
            raise
        except TooSlow:
            break
        if len(found) == size:
            break
    return found


def checks_of(
    *, rules: Rules, context: Context, end_user_ids: Sequence[int], seconds: float = 5.0
) -> Mapping[int, Mapping[str, bool]]:
    """Of each of these end users, the path of each group and rule and whether it holds: one query; raises TooSlow."""
    each = [(path, condition_sql(rule, context)) for path, rule in conditions_of(rules)]
    # One array, since a row has 1,664 columns at most.
    held = Sql(", ".join(f"({sql.text}) IS TRUE" for _, sql in each), tuple(p for _, sql in each for p in sql.params))
    rows = rows_within(
        text=f"SELECT u.id, ARRAY[{held.text}]::boolean[] FROM devices_enduser u"
        " WHERE u.brand_id = %s AND u.id = ANY(%s)",
        params=[*held.params, context.brand_id, list(end_user_ids)],
        milliseconds=int(seconds * 1000),
    )
    paths = [path for path, _ in each]
    return {key: _checks(rules.rule, dict(zip(paths, leaves, strict=True))) for key, leaves in rows}


def _checks(rule: Rule, leaves: Mapping[str, bool]) -> Mapping[str, bool]:
    """What holds of the groups too; every part is evaluated, for showing all of them."""
    found: dict[str, bool] = {}

    def holds(rule: Rule, path: str) -> bool:
        found[path] = False  # outer ones come first
        if isinstance(rule, Condition):
            held = leaves[path]
        elif isinstance(rule, Not):
            held = not holds(rule.rule, f"{path}.not")
        else:
            kind, outcome = ("all", all) if isinstance(rule, AllOf) else ("any", any)
            held = outcome([holds(item, f"{path}.{kind}[{n}]") for n, item in enumerate(rule.rules)])
        found[path] = held
        return held

    holds(rule, "rule")
    return found


def end_user_named(*, brand_id: int, who: str) -> EndUser | None:
    """The end user of this external id, or the visitor as lists name them ("Visitor 123")."""
    name = who.strip()
    if not name or "\x00" in name or any("\ud800" <= letter <= "\udfff" for letter in name):
        return None
    people = EndUser.objects.filter(brand_id=brand_id).defer("properties")
    found = people.filter(external_id=name).first()
    if found is not None:
        return found
    number = name.lower().removeprefix("visitor").strip()
    if not (number.isascii() and number.isdecimal() and len(number) < 19):
        return None
    return people.filter(external_id=None, pk=int(number)).first()


def _words(rules: Rules, brand_id: int) -> Mapping[str, str]:
    """The conditions in words, each under the path of what says the same: one in a `not` under that of the `not`."""
    names = names_in(rules=[rules], brand_id=brand_id)
    found: dict[str, str] = {}
    for path, rule in parts_of(rules):
        if isinstance(rule, Condition | Not):
            found[path] = describe(Rules(VERSION, rule), names)
    return {path: words for path, words in found.items() if not _inside(path, found)}


def _inside(path: str, others: Mapping[str, str]) -> bool:
    return any(path.startswith(f"{other}.not") for other in others)
