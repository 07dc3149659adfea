"""What the rule builder asks: the catalogue, counts, people, one end user; of the brand, and never a 500."""

import json

import pytest

from devices.models import EndUser, PropertyDefinition
from segments import fields
from segments.models import Segment
from segments.services import segment_save
from tests.segments.admin.conftest import address
from tests.segments.compiling.evaluator import Evaluator
from tests.segments.population import NOW, populate

EVERYBODY: dict[str, object] = {"all": []}
ASK = {"field": "push_status_last_session", "operator": "is", "value": "ask"}
POSTED = ["count", "sample", "evaluate"]


def entries(client):
    return client.get(address("catalogue")).json()["fields"]


def test_the_catalogue_has_every_field_of_the_registry_with_its_operators(editor, brand):
    PropertyDefinition.objects.create(brand=brand, name="vip_level", type="number")
    found = editor.get(address("catalogue")).json()
    assert (found["version"], found["time_zone"]) == (1, brand.time_zone)
    assert {"depth", "rules"} <= set(found["limits"])
    assert ["day", "days"] in found["units"]
    assert {entry["field"] for entry in found["fields"]} == {field.name for field in fields.all_fields()}
    assert len({entry["id"] for entry in found["fields"]}) == len(found["fields"])
    for entry in found["fields"]:
        field = fields.get(entry["field"])
        assert [op["name"] for op in entry["operators"]] == [op.name for op in field.operators(entry["params"])]


def test_each_custom_property_is_an_entry_of_its_type(editor, brand):
    PropertyDefinition.objects.create(brand=brand, name="vip_level", type="number")
    PropertyDefinition.objects.create(brand=populate(seed=3, end_users=1, name="Other"), name="theirs", type="text")
    [found] = [entry for entry in entries(editor) if entry["field"] == "property"]
    assert (found["id"], found["kind"], found["args"]) == ("property:vip_level", "number", [])
    assert found["params"] == {"name": "vip_level", "type": "number"}


def test_an_event_takes_a_name_a_period_and_conditions_on_properties(editor):
    [event] = [entry for entry in entries(editor) if entry["field"] == "event"]
    args = {arg["name"]: arg for arg in event["args"]}
    assert (args["name"]["kind"], args["name"]["required"], args["name"]["suggest"]) == ("name", True, True)
    assert "in_the_last" in {op["name"] for op in args["within"]["operators"]}
    assert "is_not_set" not in {op["name"] for op in args["within"]["operators"]}
    assert set(args["where"]["kinds"]) == {"text", "number", "boolean", "date"}


def test_only_segments_of_the_brand_can_be_chosen(editor, brand):
    ours = segment_save(brand=brand, name="Ours", rules={"version": 1, "rule": EVERYBODY})
    other = populate(seed=3, end_users=1, name="Other")
    segment_save(brand=other, name="Theirs", rules={"version": 1, "rule": EVERYBODY})
    [entry] = [entry for entry in entries(editor) if entry["field"] == "segment"]
    assert entry["choices"] == [{"value": ours.pk, "label": "Ours"}]


@pytest.mark.parametrize(
    "rule", [EVERYBODY, ASK, {"not": ASK}, {"field": "push_enabled", "operator": "is", "value": True}]
)
def test_counts_are_of_the_current_brand_and_right(ask, brand, rule):
    populate(seed=22, end_users=30, name="Other")
    reader = Evaluator(brand.pk, NOW)
    expected = reader.selected(rule)
    reachable = reader.selected({"all": [rule, {"field": "push_enabled", "operator": "is", "value": True}]})
    found = ask("count", rule)
    assert (found["state"], found["error"], found["total"]) == ("exact", 0, 20)
    assert found["selected"] == len(expected)
    assert found["share"] == len(expected) / 20
    assert found["reachable"] == len(reachable)
    assert set(found["platforms"]) == {"web", "android", "ios"}
    assert found["reachable"] <= sum(found["platforms"].values())
    assert ask("count", rule, exact=True)["selected"] == len(expected)


def test_the_people_are_those_selected_seen_last_first_with_reasons(ask, brand):
    expected = Evaluator(brand.pk, NOW).selected(ASK)
    people = ask("sample", ASK)["people"]
    assert {one["name"] for one in people} <= {str(one) for one in EndUser.objects.filter(pk__in=expected)}
    assert len(people) == min(5, len(expected))
    assert all(one["reasons"] == ["Push status of the last session is Ask"] for one in people)
    assert all(one["id"] and one["url"].startswith("/admin/") for one in people)


def test_only_reasons_that_hold_are_given(ask, brand):
    rule = {"any": [ASK, {"not": ASK}]}
    for one in ask("sample", rule)["people"]:
        assert len(one["reasons"]) == 1


def test_one_end_user_is_checked_rule_by_rule(ask, brand):
    known = EndUser.objects.filter(brand=brand, external_id__isnull=False, last_session_status="ask").first()
    found = ask("evaluate", {"all": [ASK, {"not": ASK}]}, who=known.external_id)
    assert found["end_user"]["name"] == known.external_id
    assert found["matches"] is False
    assert found["checks"] == {
        "rule": False, "rule.all[0]": True, "rule.all[1]": False, "rule.all[1].not": True,
    }  # fmt: skip


def test_a_visitor_is_checked_by_the_name_that_lists_show(ask, brand):
    visitor = EndUser.objects.filter(brand=brand, external_id__isnull=True).first()
    assert ask("evaluate", EVERYBODY, who=str(visitor))["end_user"]["name"] == str(visitor)


@pytest.mark.parametrize(
    "who", ["", "nobody", "Visitor 0", "Visitor 99999999999999999999", "\x00", None, 5, ["a"], "²"]
)
def test_an_end_user_who_is_not_there_is_said_so_at_the_name(ask, who):
    [problem] = ask("evaluate", EVERYBODY, who=who)["problems"]
    assert problem["path"] == "who"


def test_an_end_user_of_another_brand_is_not_there(ask):
    other = populate(seed=22, end_users=9, name="Other")
    for person in EndUser.objects.filter(brand=other):
        assert "problems" in ask("evaluate", EVERYBODY, who=str(person))


@pytest.mark.parametrize("name", POSTED)
def test_a_segment_of_another_brand_is_refused_where_it_stands(ask, name):
    other = populate(seed=22, end_users=3, name="Other")
    theirs = segment_save(brand=other, name="Theirs", rules={"version": 1, "rule": EVERYBODY})
    rule = {"all": [ASK, {"field": "segment", "operator": "in", "value": theirs.pk}]}
    [problem] = ask(name, rule, who="x")["problems"]
    assert problem["path"] == "rule.all[1].value"
    assert "Theirs" not in problem["message"]


@pytest.mark.parametrize("name", POSTED)
def test_segments_that_multiply_are_refused(ask, brand, name):
    inner = segment_save(brand=brand, name="0", rules={"version": 1, "rule": {"all": [ASK] * 50}})
    for n in range(1, 8):
        twice = {"any": [{"field": "segment", "operator": "in", "value": inner.pk}] * 3}
        inner = Segment.objects.create(brand=brand, name=str(n), rules={"version": 1, "rule": twice})
    found = ask(name, {"field": "segment", "operator": "in", "value": inner.pk}, who="x")
    assert "too many" in found["problems"][0]["message"]


def nested(depth):
    return '{"rules": {"version": 1, "rule": ' + '{"not": ' * depth + json.dumps(ASK) + "}" * depth + "}}"


def holding(rule):
    return json.dumps({"rules": {"version": 1, "rule": rule}})


HOSTILE = {
    "nothing": "",
    "half": "{",
    "a list": "[]",
    "no rules": "{}",
    "no object": '{"rules": 5}',
    "deep": nested(1_000),
    "very deep": nested(60_000),
    "many": holding({"all": [ASK] * 10_000}),
    "bytes": b"\xff\xfe",
    "half a pair": holding({"field": "language", "operator": "is", "value": "\ud800"}),
    "a NUL": holding({"field": "country", "operator": "is", "value": "\x00"}),
    "10 MB": holding({"field": "country", "operator": "is", "value": "x" * 10_000_000}),
    "SQL": holding({"field": "country'); DROP TABLE devices_enduser; --", "operator": "is", "value": "x"}),
    "a huge number": '{"rules": {"version": 1, "rule": ' + "9" * 5_000 + "}}",
    "no number": holding({"field": "segment", "operator": "in", "value": float("nan")}),
    "lists for names": holding({"field": ["a"], "operator": {"b": 1}, "value": []}),
}


@pytest.mark.parametrize("name", POSTED)
@pytest.mark.parametrize("sent", HOSTILE.values(), ids=HOSTILE.keys())
def test_whatever_is_sent_is_answered_with_problems(editor, name, sent):
    answer = editor.post(address(name), sent, content_type="application/json")
    assert answer.status_code in {200, 400}
    assert answer.json()["problems"] if answer.headers["Content-Type"] == "application/json" else True


def test_questions_that_must_be_posted_are(editor):
    assert [editor.get(address(name)).status_code for name in POSTED] == [400] * 3


def test_strangers_to_the_brand_count_only_their_own(staff_of, brand):
    other = populate(seed=23, end_users=3, name="Other")
    body = holding(EVERYBODY)
    answer = staff_of(other, "viewer").post(address("count"), body, content_type="application/json")
    assert answer.json()["total"] == 3


def test_nobody_without_a_brand_asks_anything(client, django_user_model, db):
    client.force_login(django_user_model.objects.create_user("bob", is_staff=True))
    for name in [*POSTED, "catalogue", "values"]:
        assert client.post(address(name), holding(EVERYBODY), content_type="application/json").status_code == 403
