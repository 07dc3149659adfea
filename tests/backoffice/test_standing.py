"""Ask is split wherever it is counted, and each number is that of the list behind it."""

import csv
import io
import json
import re
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from campaigns.models import Campaign
from campaigns.services.ready import campaign_make_ready
from devices.lifecycle.users import UserInput, users_upsert
from devices.models import EndUser
from devices.people.selectors.standing import Standing, standing_of, standings_counted
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


def reviewed(client, campaign):
    return client.get(reverse("admin:campaigns_campaign_review", args=[campaign.pk])).content.decode()


def test_the_review_says_who_can_see_the_question_and_when(people, client_of):
    campaign = campaign_make_ready(brand=people.brand, by=None, now=NOW)
    campaign.segment = Segment.objects.create(brand=people.brand, name="All at Ask", rules={"version": 1, "rule": ASK})
    campaign.save()
    client = client_of(people.brand)
    page = reviewed(client, campaign)
    total = EndUser.objects.filter(brand=people.brand).count()
    assert f"Now 6 of {total} end users; 1 of them is marked never contact and will not enter." in page
    assert "2 people have visited and can see the question at their next visit." in page
    assert "4 people have never visited and can see the question at their first visit, not before." in page
    Campaign.objects.filter(pk=campaign.pk).update(trigger_event="login")
    assert "4 people have never visited and can see the question when they log in at their first visit" in reviewed(
        client, campaign
    )
    Segment.objects.filter(pk=campaign.segment.pk).update(rules=rules("ask_visited"))
    page = reviewed(client, campaign)
    assert "2 people have visited and can see the question when they next log in." in page
    assert "never visited" not in page


def test_the_review_of_a_flow_without_the_question_promises_none(people, client_of):
    segment = Segment.objects.create(brand=people.brand, name="All at Ask", rules={"version": 1, "rule": ASK})
    campaign = Campaign.objects.create(brand=people.brand, name="Tell them", segment=segment)
    page = reviewed(client_of(people.brand), campaign)
    assert "At Ask: 2 visited, not asked yet; 4 never visited." in page
    assert "the question" not in page


def card(client, segment):
    """The figures of a segment's *Size* card: label to number."""
    page = client.get(reverse("admin:segments_segment_change", args=[segment.pk])).content.decode()
    figures = re.search(r'<dl class="sp-segment-figures">(.*?)</dl>', page, re.S).group(1)
    return {label: int(number) for label, number in re.findall(r"<dt>([^<]+)</dt><dd>(\d+)", figures)}


def test_the_size_of_a_segment_is_kept_with_the_halves_of_ask(people, client_of):
    client = client_of(people.brand)
    segment = Segment.objects.create(brand=people.brand, name="All at Ask", rules={"version": 1, "rule": ASK})
    client.post(reverse("admin:segments_segment_compute", args=[segment.pk]))
    shown = card(client, segment)
    for value in ("ask_visited", "ask_never_visited"):
        assert shown[str(Standing(value).label)] == listed(client, value) == EXPECTED[value]
    assert shown["End users"] == listed(client, "ask")
    segment.rules = rules("blocked")
    segment.save()
    client.post(reverse("admin:segments_segment_compute", args=[segment.pk]))
    assert [label for label in card(client, segment) if label.startswith("Ask")] == []


def test_an_export_tells_those_who_never_visited_from_those_who_did(people, client_of):
    client = client_of(people.brand)
    segment = Segment.objects.create(brand=people.brand, name="All at Ask", rules={"version": 1, "rule": ASK})
    answer = client.post(reverse("admin:segments_segment_export", args=[segment.pk]))
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    halves = Counter((row["push_status_of_the_last_session"], row["visited"]) for row in rows)
    assert halves == {
        ("ask", "yes"): listed(client, "ask_visited"),
        ("ask", "no"): listed(client, "ask_never_visited"),
    }


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
