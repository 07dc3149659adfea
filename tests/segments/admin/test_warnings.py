"""The rule builder and the saved segment point at names that the brand's data does not know."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from devices.models import EndUser
from segments.models import Segment
from tests.segments.events import happened

NEVER = {"field": "event", "operator": "happened", "params": {"name": "depositt"}}
SAID = "has never had an event “depositt”."


@pytest.fixture(autouse=True)
def _events(brand):
    """Something of the brand's own has happened: before that no name is a mistake."""
    happened(EndUser.objects.create(brand=brand, external_id="buyer"), "purchase")


def test_the_count_of_a_rule_says_what_it_names_and_nobody_has(ask):
    answer = ask("count", {"all": [NEVER]})
    (warning,) = answer["warnings"]
    assert warning["path"] == "rule.all[0].params.name"
    assert SAID in warning["message"]
    assert answer["selected"] == 0


def test_rules_whose_names_are_known_have_no_warning(ask):
    assert ask("count", {"field": "push_enabled", "operator": "is", "value": True})["warnings"] == []


def test_a_segment_is_saved_with_a_warning(editor):
    rules = '{"version": 1, "rule": {"field": "event", "operator": "happened", "params": {"name": "depositt"}}}'
    answer = editor.post(reverse("admin:segments_segment_add"), {"name": "Payers", "description": "", "rules": rules})
    assert answer.status_code == 302
    assert Segment.objects.filter(name="Payers").exists()
    assert [SAID in str(message) for message in get_messages(answer.wsgi_request)].count(True) == 1


def test_a_warning_names_the_brand_of_the_page(ask, brand):
    answer = ask("count", {"field": "js_markers", "operator": "has", "value": "NEWSS"})
    assert answer["warnings"][0]["message"].startswith(f"Nobody of {brand} carries the JS marker “NEWSS”.")
