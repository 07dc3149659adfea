"""End users as a brand's server writes and reads them."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from devices.models import ConsentRecord, Delivery, Device, EndUser, Event, PropertyDefinition, PushStatus
from smartpush.common.ids import public_id
from tests.api.server.client import Server, event
from tests.api.server.conftest import campaign_on
from tests.campaigns.world import delay

KNOWN = {"external_id": "ann", "language": "en", "time_zone": "Europe/Athens", "country": "GR"}


def ann() -> EndUser:
    return EndUser.objects.get(external_id="ann")


def test_a_bulk_call_creates_and_changes_what_it_names(server):
    first = server.users(KNOWN | {"properties": {"vip": True, "age": 30}, "markers": {"add": ["gold", "New York"]}})
    assert first == {"created": 1, "updated": 0, "unchanged": 0, "errors": []}
    again = server.users(
        {"external_id": "ann", "properties": {"age": None, "city": "Rome"}, "markers": {"remove": ["GOLD"]}}
    )
    assert again["updated"] == 1
    person = ann()
    assert (person.language, person.time_zone, person.country) == ("en", "Europe/Athens", "GR")
    assert person.properties == {"vip": True, "city": "Rome"}
    assert person.external_markers == ["NEW_YORK"]
    assert 0 <= person.bucket < 1000


def test_rows_of_one_end_user_take_effect_in_their_order(server):
    answer = server.users(
        {"external_id": "ann", "language": "el", "markers": {"add": ["A"]}},
        {"external_id": "ann", "language": "en", "markers": {"replace": ["B"], "add": ["C"]}},
    )
    assert answer["created"] == 1
    assert (ann().language, ann().external_markers) == ("en", ["B", "C"])


def test_a_property_keeps_the_type_of_its_first_value(server):
    values = {"name": "Ann", "balance": 1.5, "vip": False, "born": "1990-05-01", "seen": "2026-11-23T12:00:00Z"}
    server.users({"external_id": "ann", "properties": values})
    assert dict(PropertyDefinition.objects.values_list("name", "type")) == {
        "name": "text", "balance": "number", "vip": "boolean", "born": "date", "seen": "date",
    }  # fmt: skip
    for wrong in (
        {"name": 5},
        {"balance": "5"},
        {"balance": True},
        {"vip": 1},
        {"born": "1990-02-30"},
        {"seen": "soon"},
    ):
        answer = server.users({"external_id": "ann", "language": "el", "properties": wrong})
        assert [error["code"] for error in answer["errors"]] == ["property_type"]
    assert (ann().properties, ann().language) == (values, "")  # nothing of a refused row is kept
    assert server.users({"external_id": "ann", "properties": {"name": "1990-05-01", "balance": 7}})["errors"] == []


def test_a_refused_row_gives_nothing_a_type_and_costs_no_other_row(server):
    server.users({"external_id": "ann", "properties": {"balance": 1}})
    answer = server.users(
        {"external_id": "bob", "properties": {"fresh": "text", "balance": "much"}},
        {"external_id": "cat", "properties": {"fresh": 5}},
    )
    assert (answer["created"], [error["index"] for error in answer["errors"]]) == (1, [0])
    assert PropertyDefinition.objects.get(name="fresh").type == "number"
    assert not EndUser.objects.filter(external_id="bob").exists()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("text", "invalid_row"),
        ({}, "invalid_external_id"),
        ({"external_id": ""}, "invalid_external_id"),
        ({"external_id": 5}, "invalid_external_id"),
        ({"external_id": "x" * 256}, "invalid_external_id"),
        ({"external_id": "a\x00b"}, "invalid_external_id"),
        ({"external_id": "bob", "colour": "red"}, "invalid_row"),
        ({"external_id": "bob", "language": "klingon!"}, "invalid_row"),
        ({"external_id": "bob", "time_zone": "Mars/Olympus"}, "invalid_row"),
        ({"external_id": "bob", "country": "gr"}, "invalid_row"),
        ({"external_id": "bob", "platform_opt_out": "yes"}, "invalid_row"),
        ({"external_id": "bob", "target_devices": "fridge"}, "invalid_row"),
        ({"external_id": "bob", "properties": {"a": []}}, "invalid_row"),
        ({"external_id": "bob", "properties": {"": 1}}, "invalid_row"),
        ({"external_id": "bob", "properties": {"a": "x" * 9000}}, "invalid_row"),
        ({"external_id": "bob", "markers": {"add": ["bad!"]}}, "invalid_marker"),
        ({"external_id": "bob", "markers": {"add": ["A"] * 201}}, "invalid_marker"),
        ({"external_id": "bob", "markers": ["A"]}, "invalid_row"),
    ],
)
def test_a_bad_row_is_named_and_the_good_ones_are_kept(server, wrong, code):
    answer = server.users(KNOWN, wrong, {"external_id": "cat"})
    assert answer["created"] == 2
    assert [(error["index"], error["code"]) for error in answer["errors"]] == [(1, code)]
    assert answer["errors"][0]["message"]


@pytest.mark.parametrize(
    "body", [[], {}, {"users": []}, {"users": {}}, {"users": [{}] * 10_001}, {"users": [{}], "x": 1}]
)
def test_a_body_without_rows_is_refused_whole(server, body):
    assert server.call("POST", "users/bulk", body, expect=400)["code"] == "invalid_request"


def test_ten_thousand_rows_take_few_statements(server, django_assert_max_num_queries):
    rows = [{"external_id": f"u{n}", "properties": {"n": n}, "markers": {"add": ["A"]}} for n in range(10_000)]
    with django_assert_max_num_queries(100):
        assert server.users(*rows)["created"] == 10_000
    assert EndUser.objects.get(external_id="u9999").properties == {"n": 9999}
    assert server.users(*rows)["unchanged"] == 10_000


@pytest.mark.django_db(transaction=True)
def test_calls_at_once_about_the_same_people_end_with_one_row_each(brand):
    server = Server(brand)
    rows = [{"external_id": f"u{n}", "properties": {"a": n}} for n in range(300)]

    def call(number: int) -> int:
        try:
            return server.users(*(rows if number % 2 else rows[::-1]))["created"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(call, range(8)))
    assert sum(created) == 300 == EndUser.objects.count()


def test_one_end_user_is_read_changed_marked_and_opted_out(server):
    server.users(KNOWN)
    changed = server.call("PATCH", "users/ann", {"language": "el", "properties": {"vip": True}})
    assert (changed["language"], changed["country"], changed["properties"]) == ("el", "GR", {"vip": True})
    assert server.call("GET", "users/ann") == changed
    assert server.call("PATCH", "users/ann", {"country": "Greece"}, expect=400)["fields"].keys() == {"country"}
    assert server.call("PATCH", "users/ann", {"external_id": "bob"}, expect=400)["code"] == "invalid_row"
    for operation, expected in (("add", ["A", "B"]), ("remove", ["B"]), ("replace", ["A"])):
        markers = ["a", "b"] if operation == "add" else ["a"]
        answer = server.call("POST", "users/ann/markers", {"operation": operation, "markers": markers})
        assert answer == {"markers": expected}
    for wanted in (True, True, False):
        answer = server.call("POST", "users/ann/opt-out", {"opted_out": wanted})
        assert answer == {"platform_opt_out": wanted}
    assert list(ConsentRecord.objects.order_by("pk").values_list("subject", "answer", "by")) == [
        ("opt_out", "opted_out", "platform"), ("opt_out", "opted_in", "platform"),
    ]  # fmt: skip


def test_opt_outs_by_set_are_kept_as_the_platforms_where_they_change_and_are_exported(server):
    for _ in range(2):
        server.users(*({"external_id": name, "platform_opt_out": name != "cat"} for name in ("ann", "bob", "cat")))
    rows = ConsentRecord.objects.order_by("end_user_id").values_list("subject", "answer", "by")
    assert list(rows) == [("opt_out", "opted_out", "platform")] * 2
    (proof,) = export_of(server, "bob")["consents"]
    assert proof.pop("at") and proof.pop("recorded_at")
    assert proof == {
        "subject": "opt_out", "answer": "opted_out", "by": "platform", "language": "", "origin": "", "markers": [],
    }  # fmt: skip


def test_the_platforms_opt_out_leaves_the_end_users_own_alone(server):
    server.users(KNOWN)
    EndUser.objects.update(user_opt_out=True)
    server.call("POST", "users/ann/opt-out", {"opted_out": False})
    assert (ann().platform_opt_out, ann().user_opt_out) == (False, True)


def test_ids_with_slashes_and_letters_of_any_script_have_addresses(server):
    for name in ("a/b", "Άννα", "x@y.z", "50%"):
        server.users({"external_id": name})
        path = name.replace("%", "%25")
        assert server.call("GET", f"users/{path}")["external_id"] == name
        server.call("POST", f"users/{path}/markers", {"operation": "add", "markers": ["A"]})


def test_a_rename_keeps_everything_and_refuses_a_name_that_is_taken(server, subscriber):
    server.users({"external_id": "bob"})
    before = ann()
    assert server.call("POST", "users/ann/rename", {"external_id": "bob"}, expect=409)["code"] == "external_id_taken"
    answer = server.call("POST", "users/ann/rename", {"external_id": "anna"}, Idempotency_Key="r1")
    assert server.call("POST", "users/ann/rename", {"external_id": "anna"}, Idempotency_Key="r1") == answer
    assert server.call("GET", "users/anna")["id"] == answer["id"]
    after = EndUser.objects.get(external_id="anna")
    assert (after.pk, after.bucket) == (before.pk, before.bucket)
    assert Device.objects.get().holder_id == after.pk
    assert server.call("GET", "users/ann", expect=404)["code"] == "end_user_unknown"


def test_merging_moves_everything_of_the_one_to_the_other(server, subscriber, brand):
    server.users(
        {"external_id": "ann", "properties": {"a": 1, "b": 1}, "markers": {"add": ["A"]}, "platform_opt_out": True},
        {"external_id": "anna", "properties": {"b": 2}, "markers": {"add": ["B"]}},
    )
    server.events(event("ann"), event("anna"))
    merged = server.call("POST", "users/ann/merge", {"into": "anna"})
    answer = server.call("GET", "users/anna")
    assert answer["id"] == merged["id"]
    assert answer["properties"] == {"a": 1, "b": 2}
    assert answer["markers"]["external"] == ["A", "B"]
    assert answer["platform_opt_out"] is True
    assert answer["last_session_status"] == "allowed"
    anna = EndUser.objects.get(external_id="anna")
    assert not EndUser.objects.filter(external_id="ann").exists()
    assert Device.objects.get().holder_id == anna.pk
    assert PushStatus.objects.get().end_user_id == anna.pk
    assert Event.objects.filter(end_user=anna, name="deposit").count() == 2
    assert server.call("POST", "users/anna/merge", {"into": "anna"}, expect=400)["code"] == "merge_with_itself"
    assert server.call("POST", "users/anna/merge", {"into": "nobody"}, expect=404)["code"] == "end_user_unknown"


def test_merging_two_who_shared_a_device_leaves_it_allowed(server, subscriber):
    subscriber.session(path="identify", external_id="bob")  # takes the device over: ann is suspended there
    server.call("POST", "users/ann/merge", {"into": "bob"})
    pair = PushStatus.objects.get()
    assert (pair.end_user.external_id, pair.status) == ("bob", "allowed")
    subscriber.session(path="identify", external_id="cat")
    subscriber.session(path="identify", external_id="bob")
    server.call("POST", "users/bob/merge", {"into": "cat"})
    pair = PushStatus.objects.get()
    assert (pair.end_user.external_id, pair.status) == ("cat", "allowed")


def export_of(server: Server, who: str) -> dict:
    response = server.send("GET", f"users/{who}/export")
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    return json.loads(b"".join(response.streaming_content))


def test_an_export_holds_everything_of_one_person_and_nothing_of_another(server, subscriber, stranger, shipped):
    server.events(event("ann", properties={"amount": 20}))
    server.call(
        "POST", "push", {"external_id": "ann", "push": shipped, "data": {"order": "7"}}, expect=202, Idempotency_Key="k"
    )
    subscriber.session(path="identify", external_id="bob", properties={"secret": "BOBS"})
    server.users({"external_id": "bob", "properties": {"first_name": "BOBS"}})
    server.events(event("bob", properties={"amount": 999}))
    found = export_of(server, "ann")
    assert found["end_user"]["external_id"] == "ann"
    assert [one["status"] for one in found["devices"]] == ["suspended"]
    assert "user_agent" not in found["devices"][0]  # what it says of itself now, it says of bob
    assert [one["properties"] for one in found["events"] if one["name"] == "deposit"] == [{"amount": 20}]
    assert [(one["data"], one["state"]) for one in found["pushes"]] == [({"order": "7"}, "cancelled")]
    assert found["tokens_held"][0]["ended"] == "taken_over"
    text = json.dumps(found)
    assert "BOBS" not in text and "THEIRS" not in text and "999" not in text
    device = Device.objects.get()
    assert device.endpoint not in text and device.secret_hash not in text


def test_an_erased_person_leaves_nothing(server, subscriber, shipped):
    server.users({"external_id": "ann", "properties": {"first_name": "Annabella"}, "platform_opt_out": False})
    server.events(event("ann"), event("ann"))
    body = {"external_id": "ann", "push": shipped, "send_at": "2099-01-01T00:00:00Z"}
    assert server.call("POST", "push", body, expect=400, Idempotency_Key="k")["fields"].keys() == {"send_at"}
    server.call("POST", "push", body | {"send_at": None}, expect=202, Idempotency_Key="k")
    server.call("POST", "users/ann/rename", {"external_id": "Annabella"}, Idempotency_Key="r")
    server.call("POST", "users/Annabella/rename", {"external_id": "ann"}, Idempotency_Key="s")
    server.call("POST", "users/ann/opt-out", {"opted_out": True})
    assert ConsentRecord.objects.exists()
    answer = server.call("DELETE", "users/ann", Idempotency_Key="e")
    assert answer["erased"] and answer["devices"] == 1 and answer["deliveries"] == 1 and answer["events"] >= 2
    assert server.call("DELETE", "users/ann", Idempotency_Key="e") == answer
    assert server.call("DELETE", "users/ann", expect=404)["code"] == "end_user_unknown"
    for model in (EndUser, Device, PushStatus, Event, Delivery, ConsentRecord):
        assert not model.objects.exists(), model
    with connections["default"].cursor() as cursor:  # nowhere in any table of ours
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ '^(devices|campaigns)_'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT count(*) FROM {table} t WHERE t::text ~ 'Annabella'")
            assert cursor.fetchone()[0] == 0, table


def test_erasing_someone_leaves_a_shared_device_to_the_other(server, subscriber):
    subscriber.session(path="identify", external_id="bob")
    server.call("DELETE", "users/ann")
    device = Device.objects.get()
    assert device.token_hash is not None and device.holder.external_id == "bob"
    subscriber.session(path="identify", external_id="cat")
    server.call("DELETE", "users/cat")
    device.refresh_from_db()
    assert (device.token_hash, device.holder_id) == (None, None)
    assert device.session_end_user.external_id is None
    assert subscriber.session()["end_user"]["anonymous"] is True


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("users/ann/opt-out", {"opted_out": "no"}, "opted_out"),
        ("users/ann/opt-out", {"opted_out": 0}, "opted_out"),
        ("users/ann/opt-out", {"opted_out": "true"}, "opted_out"),
        ("users/ann/opt-out", {"opted_out": None}, "opted_out"),
        ("users/ann/opt-out", {"opted_out": False, "reason": "x"}, "reason"),
        ("users/ann/rename", {"external_id": 5}, "external_id"),
        ("users/ann/rename", {"external_id": "eve", "dryRun": True}, "dryRun"),
        ("users/ann/merge", {"into": "bob", "keep": True}, "keep"),
        ("users/ann/markers", {"operation": "replace", "markers": [], "kind": "js"}, "kind"),
        ("users/ann/markers", {"operation": "add", "markers": [5]}, "markers.0"),
        ("events/bulk", {"events": [event()], "historical": "true"}, "historical"),
        ("events/bulk", {"events": [event()], "unknownUsers": "refuse"}, "unknownUsers"),
        ("campaigns/cmp_1/trigger", {"users": [{"external_id": "ann"}], "Data": {}}, "Data"),
    ],
)
def test_a_misspelt_field_or_another_type_is_refused_and_named(server, brand, path, body, named):
    server.users({"external_id": "ann", "platform_opt_out": True, "markers": {"add": ["A"]}}, {"external_id": "bob"})
    before = list(EndUser.objects.order_by("pk").values())
    if path.startswith("campaigns"):
        path = path.replace("cmp_1", public_id("campaign", campaign_on(brand, delay("a1", 60)).pk))
    error = server.call("POST", path, body, expect=400, Idempotency_Key="k1")
    assert (error["code"], list(error["fields"])) == ("invalid_request", [named])
    assert list(EndUser.objects.order_by("pk").values()) == before
    assert not Event.objects.exists()
