"""Costly texts: refused at their field in every branch, and previews and saves that are limited for each colleague."""

import json
from dataclasses import replace

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from assets.admin.push import MAX_PREVIEWED
from assets.models import PushResource
from assets.services import CannotSaveResource, popup_content, popup_resource_save, push_resource_save
from tests.assets.editors import POPUP, POPUP_ADD, PUSH, PUSH_ADD, login

BOMB = "{% assign a = 9999999999 %}{% for i in (1..13) %}{% assign a = a | times: a %}{% endfor %}{{ a }}"
HIDDEN = "{% if user.city == 'Nowhere' %}" + BOMB + "{% endif %}Hello"
LOOP = "{% for i in (1..200) %}{% # one %}{% # two %}{% # three %}{% # four %}{% # five %}{% # six %}{% # seven %}"
LOOP += "{% # eight %}" * 9 + "{% endfor %}"
PREVIEW = reverse("admin:assets_pushresource_preview")


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()


@pytest.fixture
def editor(client, brand):
    return login(client, brand, "editor")


def refused(brand, draft):
    with pytest.raises(CannotSaveResource) as caught:
        push_resource_save(brand=brand, name="Bonus", draft=draft)
    return caught.value.fields


@pytest.mark.parametrize("text", [BOMB, HIDDEN])
@pytest.mark.parametrize("field", ["title", "message", "click_url", "deep_link"])
def test_a_bomb_is_refused_at_its_field_in_whichever_branch_and_language(brand, push_draft_one, field, text):
    value = text if field in ("title", "message") else f"https://www.example.com/{text}"
    english = push_draft_one.variants[0]
    draft = replace(push_draft_one, variants=(english, replace(english, language="de", **{field: value})))
    faults = refused(brand, draft)
    assert list(faults) == [f"variants.de.{field}"]
    assert "64 bits" in faults[f"variants.de.{field}"][0]


def test_a_bomb_in_a_buttons_address_is_refused(brand, push_draft_one):
    english = push_draft_one.variants[0]
    button = replace(english.buttons[0], url=f"https://a.shop.example.com/{HIDDEN}")
    faults = refused(brand, replace(push_draft_one, variants=(replace(english, buttons=(button,)),)))
    assert list(faults) == ["variants.en.buttons.1.url"]


def test_texts_that_are_too_much_only_together_are_refused_at_the_costliest(brand, push_draft_one):
    english = replace(push_draft_one.variants[0], click_url=f"https://www.example.com/{LOOP}")
    message = "{% for i in (1..200) %}" + "{% # more %}" * 24 + "{% endfor %}Hello"
    assert push_resource_save(brand=brand, name="One", draft=replace(push_draft_one, variants=(english,)))
    both = replace(english, message=message, deep_link=f"https://www.example.com/{LOOP}")
    faults = refused(brand, replace(push_draft_one, variants=(both,)))
    assert list(faults) == ["variants.en.message"]
    assert "steps" in faults["variants.en.message"][0]


def test_popups_are_not_personalised_so_nothing_in_them_is_ever_filled_in(brand, popup_draft_one):
    variant = replace(popup_draft_one.variants[0], title=BOMB)
    with pytest.raises(CannotSaveResource):
        popup_resource_save(brand=brand, name="Ask", draft=replace(popup_draft_one, variants=(variant,)))
    revision = popup_resource_save(brand=brand, name="Ask", draft=popup_draft_one)
    revision.variants.update(title=BOMB)  # past the checks
    assert popup_content(revision)["variants"]["en"]["title"] == BOMB


def ask(editor, **texts):
    return editor.post(PREVIEW, json.dumps(texts), content_type="application/json")


def test_the_preview_names_what_is_over_a_limit_in_every_branch(editor):
    answer = ask(editor, title="Hi {{ user.first_name }}", message=HIDDEN).json()
    assert "64 bits" in answer["problems"]["message"]
    assert answer["texts"] == {"title": "Hi Ann", "message": HIDDEN}


def test_the_texts_of_a_preview_share_the_limits_of_one_message(editor):
    answer = ask(editor, **{f"t{n}": LOOP for n in range(9)}).json()
    assert "t0" not in answer["problems"]
    assert "steps" in answer["problems"]["t8"]


def test_previews_are_limited_for_each_colleague(editor, client_of, settings):
    settings.SMARTPUSH_LIMITS = settings.SMARTPUSH_LIMITS | {"templates_per_staff": 2}
    assert [ask(editor, title="Hi").status_code for _ in range(2)] == [200, 200]
    answer = ask(editor, title="Hi")
    assert answer.status_code == 429
    assert answer.json()["code"] == "rate_limited"
    assert "seconds" in answer.json()["error"]
    assert 0 < int(answer["Retry-After"]) <= 60
    assert ask(client_of("viewer"), title="Hi").status_code == 200


@pytest.fixture
def client_of(brand):
    return lambda role: login(Client(), brand, role)


def test_saves_count_too_and_the_form_keeps_what_was_typed(editor, settings):
    settings.SMARTPUSH_LIMITS = settings.SMARTPUSH_LIMITS | {"templates_per_staff": 1}
    assert ask(editor, title="Hi").status_code == 200
    for address, typed in ((PUSH_ADD, PUSH), (POPUP_ADD, POPUP)):
        page = editor.post(address, typed)
        assert page.status_code == 200
        form = page.context["adminform"].form
        assert "Try again in" in form.non_field_errors()[0]
        assert form.non_field_errors().as_data()[0].code == "rate_limited"
        assert typed["title"] in form["title"].value()
    assert not PushResource.objects.exists()


def test_a_preview_of_more_fields_than_there_are_is_refused(editor):
    assert ask(editor, **{f"t{n}": "x" for n in range(MAX_PREVIEWED + 1)}).status_code == 400
