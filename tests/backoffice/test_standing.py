"""Ask is split wherever it is counted, and each number is that of the list behind it."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Campaign
from devices.models import EndUser
from devices.selectors.standing import Standing, standing_of, standings_counted
from devices.services.users import UserInput, users_upsert
from segments.models import Segment
from tests.backoffice.world import NOW, end_user_with_device

pytestmark = pytest.mark.django_db
LIST = reverse("admin:devices_enduser_changelist")
ASK = {"field": "push_status_last_session", "operator": "is", "value": "ask"}


@pytest.fixture
def people(ours):
    """Each status, and what makes Ask two: a bulk upsert of four people who never came, of whom one is marked."""
    rows = [UserInput(index=n, external_id=f"uploaded-{n}") for n in range(4)]
    users_upsert(brand_id=ours.brand.pk, rows=rows, now=NOW)
    EndUser.objects.filter(external_id="uploaded-3").update(never_contact=True)
    for number, status in enumerate(["ask", "ask", "blocked", "not_supported", "suspended"]):
        end_user_with_device(brand=ours.brand, external_id=f"visitor-{number}", status=status)
    return ours


EXPECTED = {
    "ask_visited": 2, "ask_never_visited": 4, "allowed": 1, "blocked": 1, "not_supported": 1, "suspended": 1,
}  # fmt: skip


def listed(client, value):
    """How many the list of end users shows behind a number."""
    return len(client.get(LIST, {"last_session_status__exact": value}).context["cl"].result_list)


def rules(*values, operator="is_any_of"):
    return {"version": 1, "rule": {**ASK, "operator": operator, "value": list(values)}}


def counted(client, rules, *, exact=True):
    address = reverse("admin:segments_segment_count")
    body = json.dumps({"rules": rules, "exact": exact})
    return client.post(address, body, content_type="application/json").json()


def test_the_overview_counts_the_halves_of_ask_and_each_number_leads_to_as_many_people(people, client_of):
    client = client_of(people.brand)
    page = client.get(reverse("admin:index"))
    rows = {row["value"]: row["count"] for row in page.context["statuses"]}
    assert rows == EXPECTED
    assert sum(rows.values()) == page.context["numbers"].end_users == EndUser.objects.filter(brand=people.brand).count()
    text = page.content.decode()
    for value, count in EXPECTED.items():
        assert f"last_session_status__exact={value}" in text
        assert listed(client, value) == count
    assert listed(client, "ask") == EXPECTED["ask_visited"] + EXPECTED["ask_never_visited"]
    assert "Ask: visited, not asked yet" in text and "Ask: never visited" in text and "Browser Not Supported" in text


def test_a_rule_can_ask_for_either_half_and_selects_those_of_the_list(people, client_of):
    client = client_of(people.brand)
    for value, count in {**EXPECTED, "ask": 6}.items():
        assert counted(client, rules(value))["selected"] == listed(client, value) == count
    assert counted(client, rules("ask_visited", "blocked"))["selected"] == 3
    assert counted(client, rules("ask_visited", "ask_never_visited"))["selected"] == 6
    assert counted(client, rules("ask_never_visited", operator="is_none_of"))["selected"] == 6
    assert counted(client, rules("asked"))["problems"]


@pytest.mark.parametrize("exact", [True, False])
def test_the_count_of_a_segment_says_how_many_of_those_at_ask_can_be_asked(people, client_of, exact):
    client = client_of(people.brand)
    found = counted(client, {"version": 1, "rule": ASK}, exact=exact)
    assert (found["selected"], found["ask_visited"], found["ask_never_visited"]) == (6, 2, 4)
    assert found["never_contact"] == 1
    assert (found := counted(client, rules("blocked"), exact=exact))["selected"] == 1
    assert (found["ask_visited"], found["ask_never_visited"]) == (0, 0)


def test_the_review_of_a_campaign_promises_no_popup_to_those_who_never_visited(people, client_of):
    segment = Segment.objects.create(brand=people.brand, name="All at Ask", rules={"version": 1, "rule": ASK})
    campaign = Campaign.objects.create(brand=people.brand, name="Ask them", segment=segment)
    client = client_of(people.brand)
    page = client.get(reverse("admin:campaigns_campaign_review", args=[campaign.pk])).content.decode()
    assert "Ask: 2 visited, not asked yet; 4 never visited. No popup is shown to them before they come." in page
    segment.rules = rules("ask_visited")
    segment.save()
    page = client.get(reverse("admin:campaigns_campaign_review", args=[campaign.pk])).content.decode()
    assert "Ask: 2 visited, not asked yet; 0 never visited." in page


def test_the_profile_and_the_list_say_which_half_somebody_is_of(people, client_of):
    client = client_of(people.brand)
    uploaded = EndUser.objects.get(external_id="uploaded-0")
    page = client.get(reverse("admin:devices_enduser_change", args=[uploaded.pk])).content.decode()
    assert "Last session: Ask: never visited" in page
    row = client.get(LIST, {"q": "visitor-0"}).content.decode()
    assert "Ask: visited, not asked yet" in row.split("<tbody", 1)[1]


def test_one_person_and_all_of_them_are_told_apart_alike(people):
    brand = people.brand
    each = [standing_of(end_user=person) for person in EndUser.objects.filter(brand=brand)]
    assert {standing: each.count(standing) for standing in Standing} == standings_counted(brand_id=brand.pk) == EXPECTED


def test_counting_the_standings_is_one_query_whatever_their_number(people):
    with CaptureQueriesContext(connection) as captured:
        standings_counted(brand_id=people.brand.pk)
    assert len(captured) == 1


def test_those_who_never_visited_are_counted_by_their_index_alone(people):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(
            "EXPLAIN SELECT count(*) FROM devices_enduser u WHERE u.brand_id = %s"
            " AND u.last_session_status = 'ask' AND u.last_session_at IS NULL",
            [people.brand.pk],
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Index Only Scan using devices_enduser_never_visited" in plan, plan
