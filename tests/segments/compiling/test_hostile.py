"""Rules from somebody who means harm: refused with what is at fault, or run as plain values; never an error of ours."""

import json
from datetime import UTC, datetime

import pytest
from django.db import DataError, connection
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.models import App, Brand, EndUser
from segments import fields
from segments.compiler import audience_sql, condition_sql
from segments.conditions import Context
from segments.models import Segment
from segments.operators import OPERATORS
from segments.references import TooLarge, inlined, rules_problems
from segments.rules import InvalidRules, parse_rules, rules_json
from segments.selectors.audiences import audience_ids, segment_queryset
from segments.selectors.bounded import TooSlow, rows_within

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ASK = {"field": "push_status_last_session", "operator": "is", "value": "ask"}
NASTY = [
    "'; DROP TABLE devices_enduser; --",
    "%s %(name)s %d %% %",
    "{} {0} {name} {{}}",
    "$1 $$ $function$",
    "\\",
    'a"b',
    "a'b",
    "/* */ --",
    "_%",
    "ÿ\u202e\ufffd👩‍👧",
]


def whole(rule):
    return {"version": 1, "rule": rule}


def paths(rule):
    with pytest.raises(InvalidRules) as caught:
        parse_rules(whole(rule))
    return {problem.path for problem in caught.value.problems}


@pytest.mark.parametrize("depth", [21, 1_000, 100_000])
@pytest.mark.parametrize("kind", ["all", "any", "not"])
def test_a_deep_rule_is_refused_where_it_becomes_too_deep(depth, kind):
    rule = ASK
    for _ in range(depth):
        rule = {"not": rule} if kind == "not" else {kind: [rule]}
    (path,) = paths(rule)
    assert path == "rule" + (".not" if kind == "not" else f".{kind}[0]") * 20
    while rule is not ASK:  # so that Python takes it apart from outside, not by recursion
        (rule,) = rule.values() if kind == "not" else next(iter(rule.values()))


def test_too_many_rules_are_refused_once():
    assert paths({"all": [ASK] * 10_000}) == {"rule.all[199]"}
    assert paths({"all": [{"any": [ASK] * 10_000}] * 10_000}) == {"rule.all[0].any[198]"}


def test_long_lists_are_refused():
    for operator in ("is_any_of", "is_none_of"):
        assert paths({**ASK, "operator": operator, "value": ["ask"] * 1_000_000}) == {"rule.value"}
    tests = [{"name": "n", "type": "text", "operator": "is_set"}] * 21
    event = {"field": "event", "operator": "happened", "params": {"name": "e", "where": tests}}
    assert paths(event) == {"rule.params.where"}


PERIOD = {"operator": "in_the_last", "value": {"count": 1, "unit": "day", "zone": "brand"}}
TEST = {"name": "amount", "type": "number", "operator": "is", "value": 1}


def event(**params):
    return {"field": "event", "operator": "happened", "params": {"name": "deposit", **params}}


def seen(operator, value):
    return {"field": "last_seen", "operator": operator, "value": value}


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        (event(name=None), ".params.name"),
        (event(name=" "), ".params.name"),
        (event(name="x" * 65), ".params.name"),
        (event(name="a\x00b"), ".params.name"),
        (event(name="\ud800"), ".params.name"),
        (event(name=["deposit"]), ".params.name"),
        (event(shoe=1), ".params"),
        ({**event(), "params": []}, ".params"),
        ({**event(), "params": None}, ".params"),
        (event(within={}), ".params.within"),
        (event(within={**PERIOD, "more": 1}), ".params.within"),
        (event(within={**PERIOD, "operator": "is_set"}), ".params.within.operator"),
        (event(within={**PERIOD, "operator": "not_in_the_last"}), ".params.within.operator"),
        (event(within={**PERIOD, "operator": {}}), ".params.within.operator"),
        (event(within={**PERIOD, "value": None}), ".params.within.value"),
        (event(within={**PERIOD, "value": {"count": 0, "unit": "day"}}), ".params.within.value.count"),
        (event(where={}), ".params.where"),
        (event(where=[TEST, None]), ".params.where[1]"),
        (event(where=[TEST, {**TEST, "extra": 1}]), ".params.where[1]"),
        (event(where=[TEST, {**TEST, "name": ""}]), ".params.where[1].name"),
        (event(where=[TEST, {**TEST, "type": "money"}]), ".params.where[1].type"),
        (event(where=[TEST, {**TEST, "type": []}]), ".params.where[1].type"),
        (event(where=[TEST, {**TEST, "operator": "contains"}]), ".params.where[1].operator"),
        (event(where=[TEST, {**TEST, "value": "1"}]), ".params.where[1].value"),
        (event(where=[TEST, {**TEST, "type": "date", "operator": "on"}]), ".params.where[1].value"),
        (
            event(where=[TEST, {**TEST, "type": "date", "operator": "on", "value": {"date": "2026-02-30"}}]),
            ".params.where[1].value.date",
        ),
        (seen("in_the_last", {"count": True, "unit": "day"}), ".value.count"),
        (seen("in_the_last", {"count": 1.5, "unit": "day"}), ".value.count"),
        (seen("in_the_last", {"count": 10**30, "unit": "day"}), ".value.count"),
        (seen("in_the_last", {"count": 1, "unit": "year"}), ".value.unit"),
        (seen("in_the_last", {"count": 1, "unit": {}}), ".value.unit"),
        (seen("in_the_last", {"count": 1, "unit": "day", "zone": "Mars"}), ".value.zone"),
        (seen("in_the_last", {"count": 1, "unit": "day", "zone": []}), ".value.zone"),
        (seen("in_the_last", {"count": 1, "unit": "day", "since": 1}), ".value"),
        (seen("in_current", {"unit": "hour"}), ".value.unit"),
        (seen("on", {"date": "20261120"}), ".value.date"),
        (seen("on", {"date": "1899-12-31"}), ".value.date"),
        (seen("on", {"date": "٢٠٢٦-11-20"}), ".value.date"),
        (seen("between_days", {"from": "2026-12-02", "to": "2026-12-01"}), ".value.to"),
        (seen("between_days", {"from": "2026-12-02"}), ".value.to"),
        ({"field": "segment", "operator": "in", "value": True}, ".value"),
        ({"field": "segment", "operator": "in", "value": "5"}, ".value"),
        ({"field": "segment", "operator": "in", "value": 2**63}, ".value"),
        ({"field": "country", "operator": "is", "value": "de"}, ".value"),
        ({"field": "country", "operator": "is_any_of", "value": {"DE": 1}}, ".value"),
        ({"field": "browser_version", "operator": "is", "value": "2.x"}, ".value"),
        ({"field": "browser_version", "operator": "is", "value": "٢"}, ".value"),
        (
            {"field": "browser_version", "operator": "is", "value": "2", "params": {"browser": "lynx"}},
            ".params.browser",
        ),
        ({"field": "app_version", "operator": "is", "value": "2", "params": {"app": "1"}}, ".params.app"),
        ({"field": "push_enabled", "operator": "is", "value": 1}, ".value"),
        ({"field": "external_id", "operator": "is_set", "value": "x"}, ".value"),
        ({"field": "js_markers", "operator": "has_any", "value": ["A", 1]}, ".value"),
        ({"field": "event", "operator": "at_least", "value": 0, "params": {"name": "x"}}, ".value"),
        ({"field": "event", "operator": "at_least", "value": True, "params": {"name": "x"}}, ".value"),
        ({"field": "property", "operator": "is", "value": "x", "params": {"name": "x"}}, ".params.type"),
        ({"field": "property", "operator": "is", "value": "x", "params": {"type": "text"}}, ".params.name"),
    ],
)
def test_a_fault_is_named_by_the_place_that_it_is_in(rule, path):
    assert paths({"all": [ASK, rule]}) == {f"rule.all[1]{path}"}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**15 + 1, True, "1", None, [1]])
def test_only_numbers_that_can_be_compared_are_numbers(value):
    params = {"name": "vip", "type": "number"}
    assert paths({"field": "property", "params": params, "operator": "is", "value": value}) == {"rule.value"}
    between = {"field": "property", "params": params, "operator": "between", "value": [0, value]}
    assert paths(between) == {"rule.value"}


ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(NASTY),
        st.sampled_from(["ask", "day", "2026-12-01", "brand", "deposit"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["all", "any", "not", "name", "count", "unit", "date", "from", "to", "within", "where"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)
NAMES = sorted({operator.name for operators in OPERATORS.values() for operator in operators})
ODD_RULES = st.recursive(
    st.one_of(
        ANYTHING,
        st.builds(
            lambda field, operator, value, params: {
                "field": field,
                "operator": operator,
                "value": value,
                "params": params,
            },
            st.one_of(st.sampled_from([item.name for item in fields.all_fields()]), ANYTHING),
            st.one_of(st.sampled_from(NAMES), ANYTHING),
            ANYTHING,
            st.one_of(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "name": ANYTHING,
                        "type": st.sampled_from(["text", "number", "boolean", "date"]),
                        "within": ANYTHING,
                        "where": st.lists(ANYTHING, max_size=2),
                    },
                ),
                ANYTHING,
            ),
        ),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries({"any": inner}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=5,
)


@settings(max_examples=300)
@given(rule=ODD_RULES)
def test_whatever_is_given_is_read_back_the_same_or_refused_by_path(rule):
    try:
        rules = parse_rules(whole(rule))
    except InvalidRules as error:
        assert error.problems
        assert all(problem.message and problem.path.startswith("rule") for problem in error.problems)
        return
    stored = json.loads(json.dumps(rules_json(rules)))
    assert parse_rules(stored) == rules
    hash(rules)


def nasty_rules(text):
    tests = [
        {"name": text, "type": "text", "operator": "contains", "value": text},
        {"name": text, "type": "date", "operator": "on", "value": {"date": "2026-12-01", "zone": "user"}},
        {"name": text, "type": "number", "operator": "at_least", "value": 1},
    ]
    return [
        *({"field": "external_id", "operator": name, "value": text} for name in ("is", "contains", "starts_with")),
        {"field": "external_id", "operator": "is_any_of", "value": [text, "x"]},
        {"field": "time_zone", "operator": "ends_with", "value": text},
        {"field": "js_markers", "operator": "has_any", "value": [text]},
        {"field": "app", "operator": "is", "value": text},
        *(
            {"field": "property", "operator": "is_not_set", "params": {"name": text, "type": kind}}
            for kind in ("text", "number", "boolean", "date")
        ),
        {"field": "event", "operator": "at_least", "value": 2, "params": {"name": text, "where": tests}},
        {"field": "event_first", "operator": "is_not_set", "params": {"name": text, "where": tests}},
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("text", NASTY)
def test_what_is_written_in_a_rule_is_a_value_wherever_it_stands(text):
    brand = Brand.objects.create(name="Acme", time_zone="Europe/Athens")
    person = EndUser.objects.create(brand=brand, external_id=text, properties={text: text}, js_markers=[text.upper()])
    context = Context(brand.pk, NOW, brand.time_zone)
    held = []
    for rule in nasty_rules(text):
        rules = parse_rules(whole(rule))
        found = set(segment_queryset(rules=rules, context=context).values_list("pk", flat=True))
        assert found == audience_ids(rules=rules, context=context, end_user_ids=[person.pk])
        held.append(bool(found))
        for sql in (audience_sql(rules, context), condition_sql(rules.rule, context)):
            assert text not in sql.text or text == "\\"
            assert sql.text.replace("%%", "").count("%s") == len(sql.params)
    # External id (4), not the time zone, the marker, no app; the property is text; and nothing ever happened.
    assert held == [True] * 4 + [False, True, False] + [False, True, True, True] + [False, True]


@pytest.mark.django_db
def test_a_wildcard_is_a_letter_like_any_other():
    brand = Brand.objects.create(name="Acme")
    EndUser.objects.create(brand=brand, external_id="plain")
    for operator in ("contains", "starts_with", "ends_with", "is"):
        for text in ("%", "_", "p%n", "pla_n", ".*", "\\p"):
            rules = parse_rules(whole({"field": "external_id", "operator": operator, "value": text}))
            assert not segment_queryset(rules=rules, context=Context(brand.pk, NOW)).exists()


def test_a_chain_of_segments_that_doubles_at_each_step_is_refused_at_once():
    def twice(key):
        inner = {"field": "segment", "operator": "in", "value": key}
        return parse_rules(whole({"any": [inner, inner]}))

    segments = {key: twice(key + 1) for key in range(1, 60)}
    context = Context(1, NOW, segments=segments)
    rules = twice(1)
    for read in (
        lambda: inlined(rules, segments),
        lambda: audience_sql(rules, context),
        lambda: condition_sql(rules.rule, context),
    ):
        with pytest.raises(TooLarge, match="too many"):
            read()


@pytest.mark.django_db
def test_segments_in_a_circle_are_refused_and_not_followed():
    def into(*keys):
        return parse_rules(whole({"all": [{"field": "segment", "operator": "not_in", "value": key} for key in keys]}))

    context = Context(1, NOW, segments={1: into(2), 2: into(2, 1)})
    for rules in (into(1), into(2)):
        with pytest.raises(TooLarge):
            audience_sql(rules, context)
        with pytest.raises(TooLarge):
            audience_ids(rules=rules, context=context, end_user_ids=[1])


@pytest.mark.django_db
def test_what_belongs_to_another_brand_is_refused_by_path_and_selects_nobody():
    brand, other = Brand.objects.create(name="Acme"), Brand.objects.create(name="Other")
    EndUser.objects.create(brand=brand, external_id="ann")
    theirs = Segment.objects.create(brand=other, name="All", rules=whole({"all": []}))
    app = App.objects.create(brand=other, name="Site", origin="https://other.example")
    rules = parse_rules(
        whole(
            {
                "any": [
                    {"field": "segment", "operator": "in", "value": theirs.pk},
                    {"field": "app", "operator": "is_any_of", "value": [str(app.pk)]},
                    {"field": "app", "operator": "is", "value": "none"},
                    {"field": "app_version", "operator": "is_set", "params": {"app": app.pk}},
                ]
            }
        )
    )
    problems = rules_problems(rules, brand.pk)
    assert [problem.path for problem in problems] == [
        "rule.any[0].value",
        "rule.any[1].value",
        "rule.any[2].value",
        "rule.any[3].params.app",
    ]
    assert all("choose another" in problem.message for problem in problems)
    assert [problem.path for problem in rules_problems(rules, other.pk)] == ["rule.any[2].value"]
    assert not segment_queryset(rules=rules, context=Context(brand.pk, NOW)).exists()


@pytest.mark.django_db
def test_a_rule_that_is_really_slow_is_cancelled_by_the_database():
    brand = Brand.objects.create(name="Acme")
    EndUser.objects.bulk_create(
        EndUser(brand=brand, external_id=str(n), properties={"bio": "ab" * 15_000}) for n in range(300)
    )
    # Each looks through all of a long text that it is nearly in, of everybody.
    params = {"name": "bio", "type": "text"}
    parts = [
        {"field": "property", "operator": "not_contains", "params": params, "value": "ab" * 60 + f"{n}"}
        for n in range(190)
    ]
    sql = audience_sql(parse_rules(whole({"all": parts})), Context(brand.pk, NOW))
    with pytest.raises(TooSlow):
        rows_within(text=sql.text, params=sql.params, milliseconds=50)
    assert EndUser.objects.filter(brand=brand).count() == 300  # the connection is still of use


@pytest.mark.django_db
def test_postgresql_refuses_what_json_has_no_number_for():
    with connection.cursor() as cursor:
        for text in ("NaN", "Infinity", "1e200000", "01", "0x10"):
            with pytest.raises(DataError), connection.connection.transaction():
                cursor.execute("SELECT %s::jsonb", [text])
