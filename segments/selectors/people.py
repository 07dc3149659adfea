"""A few of those whom rules select, with the reasons, and one end user judged rule by rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from devices.models import EndUser
from segments.compiler import audience_where, judge_each, judge_sql
from segments.conditions import Context
from segments.describe import describe
from segments.rules import VERSION, Condition, Not, Rules, parts_of
from segments.selectors.bounded import TooSlow, rows_within
from segments.sql import fill, joined

_SECONDS = 0.8
_RECENT = 3_000


@dataclass(frozen=True)
class Person:
    """An end user and the rules that hold of them, in words."""

    end_user: EndUser
    reasons: Sequence[str]


def audience_sample(*, rules: Rules, context: Context, size: int = 10) -> Sequence[Person]:
    """Some of those whom the rules select, those seen last first; raises TooSlow.

    They are looked for among those seen last, one by one; only where these are too few is everybody gone through.
    """
    recent = fill(
        "SELECT u.id FROM (SELECT * FROM devices_enduser WHERE brand_id = {} AND last_session_at IS NOT NULL"
        " ORDER BY last_session_at DESC LIMIT {}) u WHERE ({}) ORDER BY u.last_session_at DESC LIMIT {}",
        context.brand_id,
        _RECENT,
        judge_sql(rules.rule, context),
        size,
    )
    try:
        found = rows_within(text=recent.text, params=recent.params, milliseconds=int(_SECONDS * 1000))
    except TooSlow:
        found = []
    if len(found) < size:
        where = audience_where(rules, context)
        everybody = fill(
            "SELECT u.id FROM devices_enduser u WHERE {}"
            " ORDER BY u.last_session_at DESC NULLS LAST, u.id DESC LIMIT {}",
            where,
            size,
        )
        found = rows_within(text=everybody.text, params=everybody.params, milliseconds=int(_SECONDS * 3000))
    people = EndUser.objects.defer("properties").in_bulk([row[0] for row in found])
    ordered = [people[row[0]] for row in found if row[0] in people]
    checks = checks_of(rules=rules, context=context, end_user_ids=[person.pk for person in ordered])
    words = _words(rules)
    return [Person(person, [words[path] for path in words if checks[person.pk][path]]) for person in ordered]


def checks_of(
    *, rules: Rules, context: Context, end_user_ids: Sequence[int], seconds: float = 5.0
) -> Mapping[int, Mapping[str, bool]]:
    """Of each of these end users, the path of each group and rule and whether it holds: one query; raises TooSlow."""
    each = list(judge_each(rules, context))
    columns = joined(", ", (condition for _, condition in each))
    rows = rows_within(
        text=f"SELECT u.id, {columns.text} FROM devices_enduser u WHERE u.brand_id = %s AND u.id = ANY(%s)",
        params=[*columns.params, context.brand_id, list(end_user_ids)],
        milliseconds=int(seconds * 1000),
    )
    return {key: {path: bool(held) for (path, _), held in zip(each, checks, strict=True)} for key, *checks in rows}


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


def _words(rules: Rules) -> Mapping[str, str]:
    """The conditions in words, each under the path of what says the same: one in a `not` under that of the `not`."""
    found: dict[str, str] = {}
    for path, rule in parts_of(rules):
        if isinstance(rule, Condition | Not):
            found[path] = describe(Rules(VERSION, rule))
    return {path: words for path, words in found.items() if not _inside(path, found)}


def _inside(path: str, others: Mapping[str, str]) -> bool:
    return any(path.startswith(f"{other}.not") for other in others)
