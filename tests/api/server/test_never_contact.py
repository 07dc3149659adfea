"""*Never contact* as a brand's own server says it."""

import pytest

from campaigns.models import Enrolment
from devices.models import ConsentRecord, Delivery, EndUser
from smartpush.common.ids import public_id
from tests.api.server.conftest import campaign_on
from tests.campaigns.world import delay


def order(push: str) -> dict:
    return {"external_id": "ann", "push": push, "data": {}}


def test_one_call_ends_journeys_and_messages_and_nothing_comes_after_it(server, subscriber, shipped, brand):
    campaign = campaign_on(brand, delay("a1", 60), trigger_event="deposit", entry_mode="every_time")
    address = f"campaigns/{public_id('campaign', campaign.pk)}/trigger"
    users = {"users": [{"external_id": "ann"}]}
    assert server.call("POST", address, users, Idempotency_Key="1")["entered"] == 1
    assert server.call("POST", "push", order(shipped), expect=202, Idempotency_Key="a")["reason"] == ""
    assert server.call("POST", "users/ann/never-contact", {"never_contact": True}) == {"never_contact": True}
    assert list(Enrolment.objects.values_list("state", "exit_reason")) == [("exited", "never_contact")]
    assert list(Delivery.objects.values_list("state", "reason")) == [("cancelled", "never_contact")]
    assert server.call("POST", address, users, Idempotency_Key="2")["results"] == [
        {"index": 0, "result": "never_contact"}
    ]
    answer = server.call("POST", "push", order(shipped), expect=202, Idempotency_Key="b")
    assert (answer["deliveries"], answer["reason"]) == ([], "never_contact")
    assert server.call("GET", "users/ann")["never_contact"] is True
    assert server.call("POST", "users/ann/never-contact", {"never_contact": False}) == {"never_contact": False}
    assert server.call("POST", "push", order(shipped), expect=202, Idempotency_Key="c")["reason"] == ""


def test_bulk_rows_mark_and_lift_in_their_order_and_count_whom_they_changed(server):
    people = ("ann", "bob", "cat", "dan")
    server.users(*({"external_id": name} for name in people))
    answer = server.users(
        {"external_id": "ann", "never_contact": True},
        {"external_id": "bob", "never_contact": True},
        {"external_id": "bob", "never_contact": False},
        {"external_id": "cat", "never_contact": False, "language": "el"},
        {"external_id": "dan", "never_contact": None},
        {"external_id": "new", "never_contact": True},
    )
    assert answer == {"created": 1, "updated": 2, "unchanged": 2, "errors": []}
    assert set(EndUser.objects.filter(never_contact=True).values_list("external_id", flat=True)) == {"ann", "new"}
    told = ConsentRecord.objects.filter(subject="never_contact")
    assert set(told.values_list("answer", "by")) == {("set", "platform")}
    assert told.count() == 2
    exported = b"".join(server.send("GET", "users/ann/export").streaming_content).decode()
    assert '"never_contact":true' in exported and '"subject":"never_contact","answer":"set"' in exported


@pytest.mark.parametrize("value", ["yes", 1, 0, "true", []])
def test_anything_but_true_and_false_is_refused_and_changes_nothing(server, value):
    server.users({"external_id": "ann"})
    error = server.call("POST", "users/ann/never-contact", {"never_contact": value}, expect=400)
    assert error["code"] == "invalid_request" and "never_contact" in error["fields"]
    answer = server.users({"external_id": "ann", "never_contact": value, "language": "el"})
    assert [row["code"] for row in answer["errors"]] == ["invalid_row"]
    assert (EndUser.objects.get().never_contact, EndUser.objects.get().language) == (False, "")


def test_another_brands_server_cannot_mark_our_people(server, stranger):
    server.users({"external_id": "only ours"})
    stranger.call("POST", "users/only%20ours/never-contact", {"never_contact": True}, expect=404)
    assert not EndUser.objects.filter(never_contact=True).exists()


def test_a_merge_by_the_server_keeps_the_mark(server):
    server.users({"external_id": "ann", "never_contact": True}, {"external_id": "bob"})
    server.call("POST", "users/ann/merge", {"into": "bob"})
    assert server.call("GET", "users/bob")["never_contact"] is True
