"""Names in texts that the brand's data does not know are pointed out where they are typed, and stand in no way."""

import json
from dataclasses import replace

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from assets.models import PushResource
from assets.services import push_warnings
from devices.models import PropertyDefinition
from tests.assets.editors import PUSH, PUSH_ADD

SAID = "Nobody of Acme has a property “frist_name”. Did you mean “first_name”?"
# Every field of a push that may be personalised, by its name in the form.
PERSONALISED = {
    "title": "Title",
    "message": "Message",
    "click_url": "Click opens",
    "deep_link": "Click opens in the app",
    "button_1_title": "Button 1",
    "button_1_url": "Button 1 opens",
    "button_1_deep_link": "Button 1 opens in the app",
}


@pytest.fixture(autouse=True)
def _first_names(brand):
    PropertyDefinition.objects.create(brand=brand, name="first_name", type="text")


def _said(answer):
    return [str(message) for message in get_messages(answer.wsgi_request) if message.level_tag == "warning"]


@pytest.mark.parametrize("field", PERSONALISED)
def test_a_saved_push_says_which_name_nobody_has_in_any_of_its_texts(editor, field):
    text = {"click_url": "https://www.example.com/", "button_1_url": "https://www.example.com/"}.get(field, "")
    begins = text or ("shop://x/" if "deep_link" in field else "Hi ")
    answer = editor.post(PUSH_ADD, {**PUSH, field: begins + "{{ user.frist_name | default: 'x' }}"})
    assert answer.status_code == 302
    assert PushResource.objects.exists()
    assert _said(answer) == [f"{PERSONALISED[field]}: {SAID}"]


def test_a_push_whose_names_are_known_says_nothing(editor):
    assert _said(editor.post(PUSH_ADD, PUSH)) == []


def test_a_name_is_said_once_with_its_first_place_and_language(brand, push_draft_one):
    (english,) = push_draft_one.variants
    wrong = "{{ user.frist_name }}{% if user.frist_name %}{{ user.frist_name }}{% endif %}"
    german = replace(english, language="de", title=wrong, message=wrong)
    draft = replace(push_draft_one, variants=(german, replace(english, message=wrong)))
    assert push_warnings(brand=brand, draft=draft) == [f"Message (English): {SAID}"]


def test_the_preview_points_at_the_field_while_it_is_typed(editor):
    texts = {"title": "Hi {{ user.frist_name }}", "message": "{{ user.first_name }}", "button_1_title": "{{ brand.x }}"}
    answer = editor.post(reverse("admin:assets_pushresource_preview"), json.dumps(texts), "application/json").json()
    assert answer["warnings"] == {
        "title": SAID,
        "button_1_title": "A brand has no value “x”: there is only brand.name.",
    }
    assert answer["problems"] == {}


def test_the_editor_offers_what_the_data_knows_and_can_be_named(editor, brand):
    PropertyDefinition.objects.create(brand=brand, name="no name for liquid", type="text")
    values = editor.get(PUSH_ADD, follow=True).context["values"]
    assert values == ["user.external_id", "user.language", "user.first_name", "brand.name"]


def test_a_name_with_a_default_is_pointed_out_only_where_it_looks_like_another(editor):
    texts = {"title": "{{ user.nickname | default: 'x' }}", "message": "{{ user.nickname }}"}
    answer = editor.post(reverse("admin:assets_pushresource_preview"), json.dumps(texts), "application/json").json()
    assert answer["warnings"] == {"message": "Nobody of Acme has a property “nickname”."}


def test_languages_are_named_in_words_where_texts_are_pointed_out(brand, push_draft_one):
    (english,) = push_draft_one.variants
    text = "{{ user.frist_name }}" + "x" * 970
    address = "https://www.example.com/?{{ event.pairs }}"
    image = f"https://a.co/{'i' * 900}"
    long = replace(english, language="pt-BR", message=text, title="y" * 190, click_url=address, image=image)
    said = push_warnings(brand=brand, draft=replace(push_draft_one, variants=(english, long)))
    assert [("Portuguese (Brazil)" in one, "pt-BR" in one) for one in said] == [(True, False)] * 3, said


def test_saving_warns_where_a_value_may_be_a_part_of_the_address(editor):
    doubtful = {**PUSH, "click_url": "https://www.example.com/?{{ event.pairs }}"}
    page = editor.post(PUSH_ADD, doubtful, follow=True).content.decode()
    assert "{{ event.pairs }} in an address of the English text is encoded as one value" in page
    plain = {**PUSH, "name": "Other", "click_url": "https://www.example.com/?c={{ user.city }}&amp;x=1"}
    assert "is encoded as one value" not in editor.post(PUSH_ADD, plain, follow=True).content.decode()
