"""The list and the profile: what they show, to whom, and at what price."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from devices.admin.paginators import CAP, CappedPaginator
from devices.models import Device, Dispatch, EndUser, Event, PopupOffer, PushStatus, TokenHolding
from smartpush.backoffice.timeline import LAST_PAGE, PAGE, timeline
from tests.backoffice.world import NOW, end_user_with_device, resources

pytestmark = pytest.mark.django_db
LIST_QUERIES = 8
PROFILE_QUERIES = 18
LIST = "admin:devices_enduser_changelist"


def _queries(client, url):
    client.get(url)  # warms what is read once: content types, the session
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(url).status_code == 200
    return [query["sql"] for query in captured.captured_queries]


def test_the_list_costs_the_same_for_one_end_user_as_for_forty(ours, client_of):
    client = client_of(ours.brand)
    one = _queries(client, reverse(LIST))
    for number in range(40):
        end_user_with_device(brand=ours.brand, external_id=f"more-{number}")
    many = _queries(client, reverse(LIST))
    assert len(many) == len(one) <= LIST_QUERIES
    assert not [sql for sql in many if "COUNT(*)" in sql and "LIMIT" not in sql and "enduser" in sql]


def test_the_profile_costs_the_same_however_much_happened(ours, client_of):
    client, end_user = client_of(ours.brand), ours.rows[EndUser]
    url = reverse("admin:devices_enduser_change", args=[end_user.pk])
    few = _queries(client, url)
    Event.objects.bulk_create(
        Event(day=NOW.date(), brand=ours.brand, end_user=end_user, name=f"e{n}", occurred_at=NOW, recorded_at=NOW)
        for n in range(30)
    )
    assert len(_queries(client, url)) == len(few) <= PROFILE_QUERIES


def test_counting_stops_at_the_cap():
    class Rows(CappedPaginator):
        _seen = CAP + 1

    paginator = Rows([], 50)
    assert (paginator.count, paginator.capped, paginator.num_pages) == (CAP, True, CAP // 50)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("last_session_status__exact=blocked", {"blocked-user"}),
        ("push=yes", {"OURS-user"}),
        ("push=no", {"blocked-user", "Visitor"}),
        ("who=visitor", {"Visitor"}),
        ("who=known", {"blocked-user", "OURS-user"}),
        ("platform=web", {"blocked-user", "OURS-user"}),
        ("platform=ios", set()),
        ("language=el", {"Visitor"}),
        ("language=el-GR", {"Visitor"}),
        ("language=el-CY", set()),
        ("language=C", set()),
        ("q=blocked", {"blocked-user"}),
        ("q=locked", set()),
    ],
)
def test_filters_and_search(ours, client_of, query, shown):
    end_user_with_device(brand=ours.brand, external_id="blocked-user", status="blocked")
    EndUser.objects.create(brand=ours.brand, language="el-GR")
    page = client_of(ours.brand).get(f"{reverse(LIST)}?{query}")
    found = {str(row).split(" ")[0] for row in page.context["cl"].result_list}
    assert found == shown


def test_a_visitor_is_found_by_number(ours, client_of):
    visitor = EndUser.objects.create(brand=ours.brand)
    page = client_of(ours.brand).get(f"{reverse(LIST)}?q=visitor+{visitor.pk}")
    assert [row.pk for row in page.context["cl"].result_list] == [visitor.pk]


def test_the_profile_says_nothing_about_who_holds_the_device_now(ours, client_of):
    former = end_user_with_device(brand=ours.brand, external_id="former", status="suspended")
    device = Device.objects.get(push_statuses__end_user=former)
    successor = EndUser.objects.create(brand=ours.brand, external_id="successor-secret")
    Device.objects.filter(pk=device.pk).update(
        holder=successor, session_end_user=successor, browser_version="999.successor", language="xx-successor"
    )
    PushStatus.objects.create(
        brand=ours.brand, end_user=successor, device=device, status="ask", since=NOW, reported_at=NOW
    )
    TokenHolding.objects.create(device=device, end_user=successor, token_hash="h", since=NOW)
    page = client_of(ours.brand).get(reverse("admin:devices_enduser_change", args=[former.pk])).content.decode()
    assert "Suspended" in page
    assert "someone else uses this device now" in page
    assert "successor" not in page
    assert "Held the push address" not in page


def test_the_timeline_merges_everything_newest_first_and_pages_without_gaps(ours):
    end_user = ours.rows[EndUser]
    total = PAGE * 2
    Event.objects.bulk_create(
        Event(
            day=NOW.date(), brand=ours.brand, end_user=end_user, name=f"e{number}",
            occurred_at=NOW - timedelta(seconds=number + 1), recorded_at=NOW,
        )
        for number in range(total)
    )  # fmt: skip
    seen, page, more = [], 1, True
    while more:
        happenings, more = timeline(end_user=end_user, page=page)
        seen += happenings
        page += 1
    assert len(seen) == total + 5  # the event, popup, push, status change and answer of the world
    assert [happening.at for happening in seen] == sorted((happening.at for happening in seen), reverse=True)
    assert {happening.kind for happening in seen} == {"event", "popup", "push", "status", "consent"}
    assert timeline(end_user=end_user, page=LAST_PAGE + 9)[0] == []


def test_the_timeline_says_what_marketers_call_the_push_and_popup(ours):
    push, popup = resources(brand=ours.brand, word="Second")
    ours.rows[Dispatch].content = {"revision": push.current_revision_id}
    ours.rows[Dispatch].save()
    offered = ours.rows[PopupOffer]
    offered.dispatch = Dispatch.objects.create(
        brand=ours.brand, day=NOW.date(), source="journey", source_key="v1:a1", label="Ask v1: popup a1",
        content={"revision": popup.current_revision_id},
    )  # fmt: skip
    offered.save()
    titles = {one.kind: (one.title, one.detail) for one in timeline(end_user=ours.rows[EndUser], page=1)[0]}
    assert titles["push"][0] == f"Push: {push.name}"
    assert titles["popup"] == (f"Popup: {popup.name}", "Ask v1: popup a1")


def test_an_end_user_is_neither_added_nor_deleted_here(ours, client_of):
    client, end_user = client_of(superuser=True), ours.rows[EndUser]
    assert client.get(reverse("admin:devices_enduser_add")).status_code in {403, 404}
    assert client.post(reverse("admin:devices_enduser_delete", args=[end_user.pk]), {"post": "yes"}).status_code == 403
    assert EndUser.objects.filter(pk=end_user.pk).exists()
