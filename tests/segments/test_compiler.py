"""The compiled rules select exactly whom the rules mean, in every form."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from devices.models import EndUser
from segments.compiler import audience_sql
from segments.conditions import Context
from segments.rules import EVERYONE, parse_rules, rules_json
from segments.selectors.audiences import audience_ids, matches, segment_queryset
from tests.segments.compiling.evaluator import Evaluator
from tests.segments.population import LANGUAGES, MARKERS, NOW, PLATFORMS, STATUSES, populate

pytestmark = pytest.mark.django_db


def _choice(field, choices):
    one = st.sampled_from(choices)
    return st.one_of(
        st.fixed_dictionaries({"field": st.just(field), "operator": st.sampled_from(["is", "is_not"]), "value": one}),
        st.fixed_dictionaries(
            {
                "field": st.just(field),
                "operator": st.just("is_any_of"),
                "value": st.lists(one, min_size=1, max_size=3),
            }
        ),
    )


def _boolean(field):
    return st.fixed_dictionaries({"field": st.just(field), "operator": st.just("is"), "value": st.booleans()})


def _markers(field):
    one = st.sampled_from([*MARKERS, "news", "NOBODY"])
    return st.one_of(
        st.fixed_dictionaries({"field": st.just(field), "operator": st.just("has"), "value": one}),
        st.fixed_dictionaries(
            {
                "field": st.just(field),
                "operator": st.sampled_from(["has_any", "has_all", "has_none"]),
                "value": st.lists(one, min_size=1, max_size=3),
            }
        ),
    )


conditions = st.one_of(
    _choice("push_status_last_session", STATUSES),
    _choice("platform", PLATFORMS),
    _choice("language", [language for language in LANGUAGES if language]),
    _boolean("push_enabled"),
    _boolean("is_anonymous"),
    _markers("js_markers"),
    _markers("external_markers"),
    _markers("backoffice_markers"),
)
trees = st.recursive(
    conditions,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=10,
)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_form_agrees_with_a_slow_reading_of_the_rules(seed):
    brand = populate(seed=seed)
    other = populate(seed=seed + 100, name="Other", end_users=20)
    reader = Evaluator(brand.pk, NOW)
    everybody = list(EndUser.objects.values_list("pk", flat=True))

    @settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(tree=trees)
    @example(tree={"not": {"any": [{"field": "push_enabled", "operator": "is", "value": True}]}})
    def check(tree):
        data = {"version": 1, "rule": tree}
        rules = parse_rules(data)
        wanted = reader.selected(tree)
        context = Context(brand.pk, NOW)
        assert set(segment_queryset(rules=rules, context=context).values_list("pk", flat=True)) == wanted
        assert audience_ids(rules=rules, context=context, end_user_ids=everybody) == wanted
        sql = audience_sql(rules, context)
        with connection.cursor() as cursor:
            cursor.execute(f"WITH chosen AS ({sql.text}) SELECT * FROM chosen", sql.params)
            rows = [row[0] for row in cursor.fetchall()]
        assert sorted(rows) == sorted(wanted)
        assert parse_rules(rules_json(rules)) == rules

    check()
    assert other.pk != brand.pk


def test_no_rules_select_everybody_of_the_brand_only():
    brand = populate(seed=5, end_users=10)
    populate(seed=6, end_users=10, name="Other")
    sql = audience_sql(EVERYONE, Context(brand.pk, NOW))
    with connection.cursor() as cursor:
        cursor.execute(sql.text, sql.params)
        assert len(cursor.fetchall()) == 10


def test_an_end_user_of_another_brand_never_matches():
    brand = populate(seed=7, end_users=5)
    other = populate(seed=8, end_users=5, name="Other")
    stranger = EndUser.objects.filter(brand=other).first()
    assert not matches(rules=EVERYONE, context=Context(brand.pk, NOW), end_user_id=stranger.pk)
    assert matches(rules=EVERYONE, context=Context(other.pk, NOW), end_user_id=stranger.pk)


def test_asking_about_known_end_users_is_one_query(django_assert_num_queries):
    brand = populate(seed=9, end_users=10)
    rules = parse_rules(
        {
            "version": 1,
            "rule": {
                "any": [
                    {"field": "push_enabled", "operator": "is", "value": True},
                    {"not": {"field": "platform", "operator": "is", "value": "ios"}},
                ]
            },
        }
    )
    ids = list(EndUser.objects.filter(brand=brand).values_list("pk", flat=True))
    with django_assert_num_queries(1):
        audience_ids(rules=rules, context=Context(brand.pk, NOW), end_user_ids=ids)
