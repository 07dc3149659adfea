"""Faults in rules are found all at once and pointed at."""

import pytest

from segments import fields
from segments.rules import AllOf, Condition, InvalidRules, parse_rules

ASK = {"field": "push_status_last_session", "operator": "is", "value": "ask"}


def problems(data):
    with pytest.raises(InvalidRules) as caught:
        parse_rules(data)
    return {problem.path: problem.message for problem in caught.value.problems}


def test_rules_become_frozen_values():
    rules = parse_rules(
        {"version": 1, "rule": {"all": [ASK, {"field": "js_markers", "operator": "has", "value": " news "}]}}
    )
    assert rules.rule == AllOf(
        (Condition("push_status_last_session", "is", "ask"), Condition("js_markers", "has", "NEWS"))
    )
    hash(rules)


def test_every_fault_is_named_with_its_path():
    found = problems(
        {
            "version": 1,
            "rule": {
                "all": [
                    {"field": "shoe_size", "operator": "is", "value": 1},
                    {"any": [{"field": "platform", "operator": "has", "value": "web"}, {"not": {"any": []}}]},
                    {"field": "platform", "operator": "is", "value": "fax"},
                    {"field": "js_markers", "operator": "has_any", "value": []},
                    {"field": "push_enabled", "operator": "is", "value": "yes"},
                    {"field": "language", "operator": "is", "value": "en%"},
                    "ask",
                    {"all": [ASK], "any": [ASK]},
                ]
            },
        }
    )
    assert set(found) == {
        "rule.all[0].field",
        "rule.all[1].any[0].operator",
        "rule.all[1].any[1].not",
        "rule.all[2].value",
        "rule.all[3].value",
        "rule.all[4].value",
        "rule.all[5].value",
        "rule.all[6]",
        "rule.all[7]",
    }


@pytest.mark.parametrize(
    ("data", "path"),
    [
        (None, ""),
        ({}, "version"),
        ({"version": 2, "rule": ASK}, "version"),
        ({"version": True, "rule": ASK}, "version"),
        ({"version": 1}, ""),
        ({"version": 1, "rule": ASK, "extra": 1}, ""),
        ({"version": 1, "rule": {"any": []}}, "rule"),
        ({"version": 1, "rule": {"field": ["x"], "operator": "is", "value": 1}}, "rule.field"),
        ({"version": 1, "rule": {"field": "platform", "operator": {}, "value": 1}}, "rule.operator"),
    ],
)
def test_what_is_not_a_rule_set_is_refused(data, path):
    assert path in problems(data)


def test_an_empty_whole_means_everybody():
    assert parse_rules({"version": 1, "rule": {"all": []}}).rule == AllOf(())


def test_depth_and_number_are_bounded():
    deep = ASK
    for _ in range(25):
        deep = {"not": deep}
    assert "20 deep" in next(iter(problems({"version": 1, "rule": deep}).values()))
    wide = problems({"version": 1, "rule": {"all": [ASK] * 300}})
    assert len(wide) == 1
    assert "more than 200" in next(iter(wide.values()))


def test_a_field_name_is_taken_once():
    with pytest.raises(ValueError, match="already"):
        fields.register(fields.all_fields()[0])
