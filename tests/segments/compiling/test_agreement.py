"""Every compiled form says of everybody what a slow, independent reading of the rules says."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.models import EndUser
from segments import fields
from segments.fields import Reads
from segments.rules import parse_rules, rules_json
from segments.selectors.audiences import audience_ids, context_for, segment_queryset
from segments.selectors.people import checks_of
from tests.segments.compiling.evaluator import Evaluator
from tests.segments.compiling.strategies import COUNTS, condition, dates, events, kinds, periods, plain, trees
from tests.segments.compiling.world import EVENTS, NAMES, NOON, World

pytestmark = pytest.mark.django_db
# (now, the brand's zone): an ordinary noon; the hour that Berlin skips, and the one that it shows twice; a leap day at
# the far end of the earth; the end of a month in a zone whose clocks move by half an hour; midnights that do not exist;
# a month that has begun here and not there.
MOMENTS = [
    (NOON, "Europe/Athens"),
    (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "Europe/Berlin"),
    (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), "Europe/Berlin"),
    (datetime(2028, 2, 29, 10, 30, tzinfo=UTC), "Pacific/Kiritimati"),
    (datetime(2026, 3, 31, 15, 45, 0, 1, tzinfo=UTC), "Australia/Lord_Howe"),
    (datetime(2018, 11, 5, 2, 59, tzinfo=UTC), "America/Sao_Paulo"),
    (datetime(2011, 12, 31, 10, 0, tzinfo=UTC), "Pacific/Apia"),
    (datetime(2026, 12, 1, 2, 0, tzinfo=UTC), "UTC"),
]


class Forms:
    """A world with a brand beside it, and all that is asked of rules there."""

    def __init__(self, seed, moment):
        now, zone = moment
        self.world = World(seed=seed, now=now, time_zone=zone)
        World(seed=seed + 1, now=now, time_zone="Asia/Tokyo", end_users=8, name="Other")
        self.slow = Evaluator(self.world.brand.pk, now)
        self.everybody = list(EndUser.objects.values_list("pk", flat=True))

    def check(self, rule, evaluated=()):
        data = {"version": 1, "rule": rule}
        rules = parse_rules(data)
        assert parse_rules(rules_json(rules)) == rules
        wanted = self.slow.selected(rule)
        context = context_for(rules=rules, brand_id=self.world.brand.pk, now=self.world.now)
        assert set(segment_queryset(rules=rules, context=context).values_list("pk", flat=True)) == wanted, rule
        assert audience_ids(rules=rules, context=context, end_user_ids=self.everybody) == wanted, rule
        self.evaluate_one(rule, context, evaluated)

    def evaluate_one(self, rule, context, keys):
        rules = parse_rules({"version": 1, "rule": rule})
        found = checks_of(rules=rules, context=context, end_user_ids=keys, seconds=600) if keys else {}
        for key in keys:
            assert found[key] == dict(self.slow.each(rule, self.slow.people[key]))


@pytest.mark.parametrize("number", range(len(MOMENTS)))
def test_every_form_agrees_with_the_slow_reading(number):
    forms = Forms(number, MOMENTS[number])

    @settings(max_examples=35)
    @given(tree=trees(forms.world), key=st.sampled_from(sorted(forms.slow.people)))
    def check(tree, key):
        forms.check(tree, [key])

    check()


@pytest.mark.parametrize("number", [0, 2, 5])
def test_conditions_on_events_agree_with_the_slow_reading(number):
    forms = Forms(50 + number, MOMENTS[number])

    @settings(max_examples=60)
    @given(rule=events(forms.world.now))
    def check(rule):
        forms.check(rule)

    check()


def each_once(forms):
    """Every operator of every field, with the values in turn."""
    now = forms.world.now
    asked = [(field, params, operators) for field, params, operators in plain(forms.world)]
    asked.append(("event", {"name": EVENTS[0]}, COUNTS))
    asked += [
        ("event", {"name": EVENTS[0], "within": {"operator": o, "value": v}}, COUNTS[:1]) for o, v in periods(now)
    ]
    asked += [(field, {"name": EVENTS[0]}, dates(now)) for field in ("event_first", "event_last")]
    for field, params, operators in asked:
        for name in dict.fromkeys(operator for operator, _ in operators):
            values = [value for operator, value in operators if operator == name]
            yield field, params, name, values


def test_every_operator_of_every_field_is_asked():
    forms = Forms(90, MOMENTS[0])
    seen: dict[tuple[str, str], set[str]] = {}
    for field, params, name, _ in each_once(forms):
        kind = str(params.get("type", "")) if field == "property" else ""
        seen.setdefault((field, kind), set()).add(name)
    for item in fields.all_fields():
        if Reads.OTHER in item.reads and item.name != "segment":
            continue  # of the apps above
        for kind in kinds(NOON) if item.name == "property" else ("",):
            wanted = {operator.name for operator in item.operators({"type": kind} if kind else {})}
            assert seen[item.name, kind] == wanted, item.name


@pytest.mark.parametrize("number", [1, 5])
def test_every_operator_alone_agrees_with_the_slow_reading(number):
    """One statement for many: each operator beside others of its field, evaluated leaf by leaf for a few."""
    forms = Forms(70 + number, MOMENTS[number])
    every = {"any": [condition("segment", "in", segment.pk) for segment in forms.world.dynamic]}
    rules = parse_rules({"version": 1, "rule": every})
    context = context_for(rules=rules, brand_id=forms.world.brand.pk, now=forms.world.now)
    keys = sorted(forms.slow.people)[::3]
    batches: dict[str, list[dict[str, object]]] = {}
    for place, (field, params, name, values) in enumerate(each_once(forms)):
        if field == "property" and params["name"] != NAMES[(number + place) % len(NAMES)]:
            continue
        value = values[(place + number) % len(values)]
        batches.setdefault(field, []).append(condition(field, name, value, params))
    for batch in batches.values():
        forms.evaluate_one({"any": batch}, context, keys)
