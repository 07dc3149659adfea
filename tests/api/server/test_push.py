"""Transactional pushes: once a key, taken back while they wait, looked up afterwards."""

from datetime import timedelta

import pytest

from devices.delivery.sending.claim import chunk_claim
from devices.delivery.sending.gating import rows_gate
from devices.models import Delivery, DeliveryChunk, EndUser
from tests.api.server.client import now
from tests.api.server.conftest import push_of
from tests.api.server.pushes import body, send


def test_a_push_goes_to_every_device_with_its_data(server, subscriber, shipped):
    answer = send(server, shipped, ttl=600, purpose="marketing")
    assert (answer["reason"], len(answer["deliveries"])) == ("", 1)
    delivery = Delivery.objects.get()
    assert (delivery.variables, delivery.dispatch.source, delivery.dispatch.purpose) == (
        {"order": "7"},
        "api",
        "marketing",
    )
    assert delivery.expires_at - delivery.created_at == timedelta(seconds=600)
    assert DeliveryChunk.objects.get().lane == "urgent"


def test_one_key_sends_once_and_answers_the_same(server, subscriber, shipped):
    first = send(server, shipped)
    assert send(server, shipped) == first
    assert Delivery.objects.count() == 1
    error = send(server, shipped, data={"order": "8"}, expect=409)
    assert error["code"] == "idempotency_conflict"
    assert send(server, shipped, key="k2")["id"] != first["id"]
    assert Delivery.objects.count() == 2


def test_a_refused_push_uses_up_no_key(server, subscriber, shipped):
    assert send(server, shipped, external_id="nobody", expect=404)["code"] == "end_user_unknown"
    assert send(server, "AAAAAAAAAAAAAAAA", expect=404)["code"] == "push_unknown"
    assert len(send(server, shipped)["deliveries"]) == 1


@pytest.mark.parametrize("key", ["", "x" * 129, "ä", "a\tb"])
def test_a_push_names_its_key(server, subscriber, shipped, key):
    error = server.call("POST", "push", body(shipped), expect=400, Idempotency_Key=key)
    assert error["code"] in {"idempotency_key_missing", "idempotency_key_invalid"}
    assert not Delivery.objects.exists()


def test_a_push_that_reaches_nobody_says_why(server, subscriber, shipped):
    server.users({"external_id": "bob"})
    assert send(server, shipped, external_id="bob")["reason"] == "no_reachable_device"
    answer = send(server, shipped, "k2", target_devices="native")
    assert (answer["reason"], answer["deliveries"]) == ("target_devices", [])
    assert server.call("GET", f"push/{answer['id']}") == {"id": answer["id"], "deliveries": []}
    assert server.call("DELETE", f"push/{answer['id']}")["cancelled"] == 0


@pytest.mark.parametrize("method", ["DELETE", "POST"])
def test_what_waits_is_taken_back(server, subscriber, shipped, method):
    at = now() + timedelta(hours=1)
    answer = send(server, shipped, send_at=at.isoformat())
    delivery = Delivery.objects.get()
    assert (delivery.next_attempt_at, delivery.chunk_id) == (at, None)
    path = f"push/{answer['id']}" + ("" if method == "DELETE" else "/cancel")
    for _ in range(2):
        assert server.call(method, path) == {"id": answer["id"], "cancelled": 1}
    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == ("cancelled", "cancelled_by_api")


def test_what_is_on_its_way_cannot_be_taken_back(server, subscriber, shipped):
    answer = send(server, shipped)
    claim = chunk_claim(chunk_id=DeliveryChunk.objects.get().pk, now=now())
    rows_gate(claim=claim, now=now(), limit=10)
    assert Delivery.objects.get().state == "sending"
    assert server.call("DELETE", f"push/{answer['id']}", expect=409)["code"] == "too_late"


def test_a_marketing_push_does_not_pass_the_platforms_opt_out(server, subscriber, shipped):
    server.call("POST", "users/ann/opt-out", {"opted_out": True})
    answer = send(server, shipped, purpose="marketing")
    claim = chunk_claim(chunk_id=DeliveryChunk.objects.get().pk, now=now())
    rows_gate(claim=claim, now=now(), limit=10)
    (delivery,) = server.call("GET", f"push/{answer['id']}")["deliveries"]
    assert (delivery["state"], delivery["reason"]) == ("suppressed", "opted_out")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"ttl": -1}, "ttl"),
        ({"ttl": 2_419_201}, "ttl"),
        ({"ttl": "0"}, "ttl"),
        ({"ttl": "30"}, "ttl"),
        ({"ttl": True}, "ttl"),
        ({"ttl": 1.5}, "ttl"),
        ({"ttl": [30]}, "ttl"),
        ({"data": {"a": 10**400}}, "data"),
        ({"purpose": "spam"}, "purpose"),
        ({"target_devices": "fridge"}, "target_devices"),
        ({"data": {"a": []}}, "data"),
        ({"send_at": "soon"}, "send_at"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": 5}, "external_id"),
        ({"sendAt": "2999-01-01T00:00:00Z"}, "sendAt"),
    ],
)
def test_a_push_that_cannot_be_is_refused_by_field(server, subscriber, shipped, fields, named):
    error = send(server, shipped, expect=400, **fields)
    assert (error["code"], error["fields"].keys()) == ("invalid_request", {named})
    assert not Delivery.objects.exists()


def test_deliveries_are_looked_up_by_person_message_state_and_time_in_pages(server, subscriber, shipped):
    made = [send(server, shipped, f"k{n}")["id"] for n in range(5)]
    server.users({"external_id": "bob"})
    every = server.call("GET", "deliveries?external_id=ann")["deliveries"]
    assert [one["message"] for one in every] == made[::-1]
    assert every[0] == server.call("GET", f"deliveries/{every[0]['id']}")
    assert every[0]["external_id"] == "ann" and every[0]["state"] == "ready"
    pages, cursor = [], ""
    for _ in range(3):
        page = server.call("GET", f"deliveries?limit=2{cursor}")
        pages += page["deliveries"]
        cursor = f"&cursor={page['next']}"
    assert (pages, page["next"]) == (every, None)
    assert [one["message"] for one in server.call("GET", f"deliveries?message={made[0]}")["deliveries"]] == [made[0]]
    assert server.call("GET", "deliveries?external_id=bob")["deliveries"] == []
    server.call("DELETE", f"push/{made[0]}")
    assert len(server.call("GET", "deliveries?state=cancelled")["deliveries"]) == 1
    later = (now() + timedelta(minutes=1)).isoformat().replace("+", "%2B")
    assert server.call("GET", f"deliveries?since={later}")["deliveries"] == []
    assert len(server.call("GET", f"deliveries?until={later}")["deliveries"]) == 5
    for wrong in ("limit=0", "limit=501", "cursor=x", "state=lost", "since=soon"):
        assert server.call("GET", f"deliveries?{wrong}", expect=400)["code"] == "invalid_request"


def test_resources_are_listed_without_what_was_put_away(server, shipped):
    push_of(server.brand, "Old")
    assert [one["name"] for one in server.call("GET", "push/resources")["resources"]] == ["Old", "Shipped"]


def test_nothing_of_another_brand_is_there(server, stranger, subscriber, shipped):
    theirs = push_of(stranger.brand)
    answer = send(server, shipped)
    delivery = answer["deliveries"][0]
    assert stranger.call("GET", f"push/{answer['id']}", expect=404)["code"] == "message_unknown"
    assert stranger.call("DELETE", f"push/{answer['id']}", expect=404)["code"] == "message_unknown"
    assert stranger.call("GET", f"deliveries/{delivery}", expect=404)["code"] == "delivery_unknown"
    assert stranger.call("GET", f"deliveries?message={answer['id']}", expect=404)["code"] == "message_unknown"
    assert stranger.call("GET", "deliveries")["deliveries"] == []
    assert send(stranger, shipped, expect=404)["code"] == "push_unknown"
    assert send(server, theirs, "k9", expect=404)["code"] == "push_unknown"
    assert send(stranger, theirs)["reason"] == "no_reachable_device"  # the same key is theirs too, and their own ann
    for path in ("users/ann", "users/ann/export"):
        assert b"THEIRS" not in b"".join(server.send("GET", path))
    server.call("DELETE", "users/ann")
    assert EndUser.objects.filter(brand=stranger.brand, external_id="ann").exists()
