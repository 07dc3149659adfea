"""The form for counting names everybody whom the rules select once, and nobody else."""

import pytest
from django.db import connection
from hypothesis import given, settings

from segments.compiler import counted_sql
from segments.rules import parse_rules
from segments.selectors.audiences import context_for
from tests.segments.compiling.evaluator import Evaluator
from tests.segments.compiling.strategies import events, trees
from tests.segments.compiling.world import NOON, World

pytestmark = pytest.mark.django_db


def counted(rule, world):
    rules = parse_rules({"version": 1, "rule": rule})
    sql = counted_sql(rules, context_for(rules=rules, brand_id=world.brand.pk, now=world.now))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM ({sql.text}) s", sql.params)
        return sorted(row[0] for row in cursor.fetchall())


@pytest.mark.parametrize("rules_of", [trees, lambda world: events(world.now)], ids=["trees", "events"])
def test_what_is_counted_is_what_the_slow_reading_selects(rules_of):
    world = World(seed=90, now=NOON, time_zone="Europe/Athens")
    World(seed=91, now=NOON, time_zone="Asia/Tokyo", end_users=8, name="Other")
    slow = Evaluator(world.brand.pk, NOON)

    @settings(max_examples=60)
    @given(rule=rules_of(world))
    def check(rule):
        assert counted(rule, world) == sorted(slow.selected(rule))

    check()


@pytest.mark.parametrize(
    "rule",
    [
        {"field": "push_enabled", "operator": "is", "value": True},
        {"field": "platform", "operator": "is", "value": "web"},
        {"any": [{"all": [{"field": "platform", "operator": "is_any_of", "value": ["web", "android"]}]}]},
        {"field": "event", "params": {"name": "deposit"}, "operator": "happened"},
        {"field": "event", "params": {"name": "deposit"}, "operator": "at_least", "value": 2},
    ],
)
def test_somebody_with_many_devices_or_events_is_counted_once(rule):
    world = World(seed=92, now=NOON, time_zone="Europe/Athens")
    found = counted(rule, world)
    assert found
    assert found == sorted(Evaluator(world.brand.pk, NOON).selected(rule))
