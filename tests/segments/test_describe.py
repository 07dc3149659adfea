"""Rules in words that a marketer would use."""

import pytest

from segments.describe import describe
from segments.rules import parse_rules

WEEK = {"operator": "in_the_last", "value": {"count": 7, "unit": "day", "zone": "brand"}}
AMOUNT = [{"name": "amount", "type": "number", "operator": "at_least", "value": 2000}]
NAMES = {("segment", 5): "VIP list", ("campaign", 12): "Summer"}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"all": []}, "Everybody"),
        ({"field": "js_markers", "operator": "has", "value": "news"}, "JS markers has NEWS"),
        ({"field": "push_enabled", "operator": "is", "value": False},
         "Core: push enabled, user has at least one device = false"),
        ({"field": "language", "operator": "is_not_set"}, "Language is not known"),
        ({"field": "last_seen", **WEEK}, "Last seen in the last 7 days"),
        ({"field": "last_seen", "operator": "before_the_last", "value": {"count": 1, "unit": "month", "zone": "user"}},
         "Last seen more than 1 month ago (the end user's own time)"),
        ({"field": "first_seen", "operator": "in_current", "value": {"unit": "week"}},
         "First seen in the current week"),
        ({"field": "first_seen", "operator": "between_days", "value": {"from": "2026-12-01", "to": "2026-12-24"}},
         "First seen between 2026-12-01 and 2026-12-24"),
        ({"field": "property", "params": {"name": "vip", "type": "number"}, "operator": "between", "value": [1, 1500]},
         "vip is between 1 and 1,500"),
        ({"field": "property", "params": {"name": "vip", "type": "boolean"}, "operator": "is", "value": True},
         "vip = true"),
        ({"field": "event", "params": {"name": "deposit", "within": WEEK, "where": AMOUNT},
          "operator": "at_least", "value": 2},
         "deposit at least 2 times in the last 7 days with amount is at least 2,000"),
        ({"field": "event", "params": {"name": "deposit"}, "operator": "never"}, "deposit did not happen"),
        ({"field": "segment", "operator": "not_in", "value": 5}, "Segment is not in VIP list"),
        ({"field": "push", "params": {"outcome": "clicked", "campaign": 12}, "operator": "at_least", "value": 1},
         "Push clicked at least 1 time of campaign Summer"),
        ({"any": [{"field": "is_anonymous", "operator": "is", "value": True},
                  {"not": {"all": [{"field": "js_markers", "operator": "has_none", "value": ["A", "B"]}]}}]},
         "Anonymous visitor = true or not (JS markers has none of A, B)"),
    ],
)  # fmt: skip
def test_rules_are_said_in_words(rule, words):
    assert describe(parse_rules({"version": 1, "rule": rule}), NAMES) == words
