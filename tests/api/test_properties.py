"""Properties that pages write: within the limits and types of the brand, and never in the way of its server."""

import pytest
from django.db import transaction

from devices.lifecycle.merging import end_user_merge
from devices.lifecycle.steps import Merge
from devices.models import EndUser, PropertyDefinition
from devices.people.services.properties import MAX_STORED, MAX_STORED_BYTES
from smartpush.common.time.clock import utc_now
from tests.api.server.client import Server
from tests.support.people import person


def ann_has(brand) -> dict:
    return person(brand, "ann").properties


def fill(brand, properties: dict) -> None:
    EndUser.objects.filter(brand=brand, external_id="ann").update(properties=properties)


def test_null_removes_and_is_not_kept(page, brand):
    page.session(external_id="ann", properties={"city": "Rome", "age": 30, "none": None})
    assert ann_has(brand) == {"city": "Rome", "age": 30}
    page.session(external_id="ann", properties={"age": None})
    assert ann_has(brand) == {"city": "Rome"}


@pytest.mark.parametrize("path", ["session", "identify"])
def test_a_page_fills_up_to_the_limit_and_its_session_goes_on(page, brand, path):
    page.session(external_id="ann")
    for part in range(4):
        page.session(path=path, external_id="ann", properties={f"p{part}-{n}": n for n in range(60)})
    assert len(ann_has(brand)) == MAX_STORED
    page.session(path=path, external_id="ann", properties={"p0-0": "changed", "p0-1": None, "fresh": 1})
    stored = ann_has(brand)
    assert (stored["p0-0"], stored["fresh"], len(stored)) == ("changed", 1, MAX_STORED)
    assert "p0-1" not in stored


def test_a_page_cannot_pass_the_size(page, brand):
    page.session(external_id="ann")
    for part in range(6):
        page.session(external_id="ann", properties={f"long{part}": "ε" * 4000})
    assert set(ann_has(brand)) == {f"long{part}" for part in range(4)}
    page.session(external_id="ann", properties={"long0": "short", "long5": "ε" * 3000})
    assert set(ann_has(brand)) == {f"long{part}" for part in (0, 1, 2, 3, 5)}


def test_a_page_cannot_write_another_type_than_the_brands(page, brand):
    Server(brand).users({"external_id": "ann", "properties": {"balance": 5, "vip": True}})
    page.session(external_id="ann", properties={"balance": "much", "vip": False, "city": "Rome"})
    assert ann_has(brand) == {"balance": 5, "vip": False, "city": "Rome"}
    assert set(PropertyDefinition.objects.values_list("name", flat=True)) == {"balance", "vip"}


@pytest.mark.parametrize("name", ["bal\u202eance", "a\nb", "zero\u200bwidth", "\u2028"])
def test_a_name_that_cannot_be_seen_is_left_out(page, brand, name):
    page.session(external_id="ann", properties={name: 1, "Ώρα 🎉": 2})
    assert ann_has(brand) == {"Ώρα 🎉": 2}


@pytest.mark.parametrize("full", [{f"p{n}": n for n in range(MAX_STORED + 60)}, {"long": "x" * (MAX_STORED_BYTES + 9)}])
def test_a_profile_over_the_limit_can_be_opted_out_changed_and_made_smaller(page, brand, full):
    page.session(external_id="ann")
    fill(brand, full)
    server, some = Server(brand), next(iter(full))
    answer = server.users({"external_id": "ann", "platform_opt_out": True, "properties": {some: None, "gone": None}})
    assert (answer["errors"], person(brand, "ann").platform_opt_out) == ([], True)
    assert some not in ann_has(brand)
    fill(brand, full)
    row = {"external_id": "ann", "properties": {some: 1 if len(full) > 1 else "y"}, "markers": {"add": ["GOLD"]}}
    assert server.users(row)["errors"] == []
    fill(brand, full)
    more = server.users({"external_id": "ann", "platform_opt_out": False, "properties": {"more": 1}})
    assert [error["code"] for error in more["errors"]] == ["too_many_properties"]
    assert (ann_has(brand), person(brand, "ann").platform_opt_out) == (full, True)


def test_merging_keeps_the_known_ones_and_fills_up_to_the_limit(page, brand):
    page.session(external_id="ann")
    page.installation = None
    page.session(properties={"p0": "theirs", "a": 1, "b": 2, "c": None})
    fill(brand, {f"p{n}": n for n in range(MAX_STORED - 1)})
    known, visitor = person(brand, "ann"), EndUser.objects.get(external_id=None)
    with transaction.atomic():
        end_user_merge(Merge(visitor, known, utc_now()))
    stored = ann_has(brand)
    assert (len(stored), stored["p0"], stored["a"]) == (MAX_STORED, 0, 1)


def test_properties_that_say_nothing_new_cost_no_statement(page, django_assert_max_num_queries):
    for _ in range(2):
        page.session(external_id="ann", properties={"city": "Rome", "none": None})
    with django_assert_max_num_queries(6):
        page.session(external_id="ann", properties={"city": "Rome", "none": None})
