"""Categories and the opt-out by SDK calls; the two opt-outs never overwrite each other."""

import pytest

from devices.lifecycle.preferences import opt_out_set
from devices.models import ConsentRecord, EndUser
from devices.people.services.categories import category_archive, category_create
from smartpush.common.time.clock import utc_now
from tests.api.page import Page
from tests.support.people import person

SHAPE = {"opted_out", "language", "status", "categories"}


@pytest.fixture
def categories(brand):
    greek = {"el": {"name": "Νέα", "description": "Ό,τι καινούριο"}}
    news = category_create(brand=brand, name="News", description="What is new", translations=greek)
    return [news, category_create(brand=brand, name="Sports")]


@pytest.fixture
def ann(page, categories) -> Page:
    page.session(external_id="ann", language="en")
    return page


def records() -> list[tuple]:
    return list(ConsentRecord.objects.order_by("pk").values_list("subject", "answer", "by", "markers"))


def test_reading_tells_categories_opt_out_and_status(ann):
    answer = ann.call("preferences/read")
    assert set(answer) == SHAPE
    assert (answer["opted_out"], answer["language"], answer["status"]) == (False, "en", "ask")
    assert answer["categories"][0] == {
        "marker": "NEWS", "name": "News", "description": "What is new", "selected": False,
    }  # fmt: skip
    assert [category["marker"] for category in answer["categories"]] == ["NEWS", "SPORTS"]


@pytest.mark.parametrize(
    ("language", "told", "name"),
    [("el-GR", "el", "Νέα"), ("EL", "el", "Νέα"), ("fr", "en", "News"), ("", "en", "News")],
)
def test_texts_come_in_the_language_asked_for_or_fall_back(ann, language, told, name):
    answer = ann.call("preferences/read", language=language)
    assert (answer["language"], answer["categories"][0]["name"]) == (told, name)


def test_what_is_put_away_is_not_told(ann, categories):
    category_archive(category=categories[0], now=utc_now())
    assert [category["marker"] for category in ann.call("preferences/read")["categories"]] == ["SPORTS"]


def test_changing_categories_answers_and_records_what_is_chosen_now(ann, brand):
    EndUser.objects.update(js_markers=["SPORTS", "VIP"])
    answer = ann.call("preferences", categories={"NEWS": True, "SPORTS": False})
    assert {one["marker"]: one["selected"] for one in answer["categories"]} == {"NEWS": True, "SPORTS": False}
    assert person(brand, "ann").js_markers == ["NEWS", "VIP"]
    assert records() == [("preferences", "saved", "end_user", ["NEWS"])]
    assert ConsentRecord.objects.get().origin == ann.origin


def test_what_is_not_named_stays(ann, brand):
    EndUser.objects.update(js_markers=["SPORTS"])
    ann.call("preferences", categories={"NEWS": True})
    assert person(brand, "ann").js_markers == ["NEWS", "SPORTS"]
    assert records()[0][3] == ["NEWS", "SPORTS"]


def test_an_unknown_category_changes_nothing(ann, brand, categories):
    category_archive(category=categories[1], now=utc_now())
    for unknown in ("VIP", "SPORTS", "", "x" * 300):
        error = ann.call("preferences", categories={"NEWS": True, unknown: True}, opted_out=True, expect=400)
        assert (error["code"], list(error["fields"])) == ("category_unknown", ["categories"])
    assert (person(brand, "ann").js_markers, person(brand, "ann").user_opt_out) == ([], False)
    assert records() == []


def test_another_brands_category_is_unknown(ann, other):
    category_create(brand=other.brand, name="Theirs")
    assert ann.call("preferences", categories={"THEIRS": True}, expect=400)["code"] == "category_unknown"


def test_opting_out_writes_the_end_users_own_word_only(ann, brand):
    assert ann.call("preferences", opted_out=True)["opted_out"] is True
    row = person(brand, "ann")
    assert (row.user_opt_out, row.platform_opt_out) == (True, False)
    EndUser.objects.update(platform_opt_out=True)
    assert ann.call("preferences", opted_out=False)["opted_out"] is False
    row = person(brand, "ann")
    assert (row.user_opt_out, row.platform_opt_out) == (False, True)
    assert [(one[0], one[1]) for one in records()] == [("opt_out", "opted_out"), ("opt_out", "opted_in")]


def test_the_platforms_opt_out_leaves_the_end_users_and_is_recorded_when_it_changes(ann, brand):
    ann.call("preferences", opted_out=True)
    ConsentRecord.objects.all().delete()
    row = person(brand, "ann")
    assert opt_out_set(end_user_id=row.pk, opted_out=True, by="platform", now=utc_now())
    assert not opt_out_set(end_user_id=row.pk, opted_out=True, by="platform", now=utc_now())
    assert opt_out_set(end_user_id=row.pk, opted_out=False, by="platform", now=utc_now())
    row.refresh_from_db()
    assert (row.user_opt_out, row.platform_opt_out) == (True, False)
    assert [(one[1], one[2]) for one in records()] == [("opted_out", "platform"), ("opted_in", "platform")]
    assert ann.call("preferences/read")["opted_out"] is True


def test_nothing_given_changes_and_records_nothing(ann):
    assert set(ann.call("preferences")) == SHAPE
    assert records() == []


@pytest.mark.parametrize("wrong", [{"categories": ["NEWS"]}, {"categories": {"NEWS": "maybe"}}, {"opted_out": "x"}])
def test_a_malformed_choice_is_refused(ann, wrong):
    ann.call("preferences", **wrong, expect=400)
    assert records() == []


def test_after_logout_the_preferences_are_the_visitors(ann, brand):
    ann.call("preferences", categories={"NEWS": True}, opted_out=True)
    ann.call("logout")
    answer = ann.call("preferences/read")
    assert answer["opted_out"] is False
    assert not any(one["selected"] for one in answer["categories"])
    ann.call("preferences", categories={"SPORTS": True})
    assert person(brand, "ann").js_markers == ["NEWS"]
