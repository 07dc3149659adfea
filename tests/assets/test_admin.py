"""The editors: what a marketer types becomes a revision, faults stand beside their fields, brands stay apart."""

import io
import json
from dataclasses import replace

import pytest
from django.urls import reverse
from PIL import Image as Picture

from assets.models import Image, PopupResource, PushResource, PushRevision
from assets.services import CannotSaveResource, popup_resource_save, push_resource_save
from devices.models import App, Brand, Delivery, EndUser
from devices.people.services.categories import category_create
from tests.assets.editors import POPUP, POPUP_ADD, PUSH, PUSH_ADD, change, login
from tests.support.reach import reach


def errors(answer):
    assert answer.status_code == 200
    return answer.context["adminform"].form.errors


def test_an_empty_list_says_what_to_do(editor):
    page = editor.get(reverse("admin:assets_pushresource_changelist")).content.decode()
    assert "Create" in page
    assert "campaigns send to devices" in page


def test_what_is_typed_becomes_a_revision(editor, brand):
    assert editor.post(PUSH_ADD, PUSH).status_code == 302
    resource = PushResource.objects.get()
    revision = resource.current_revision
    assert (resource.brand, revision.ttl, revision.urgency, revision.policy) == (brand, 7200, "high", "at_most_once")
    assert revision.created_by.username.startswith("editor")
    assert revision.variants.get().buttons == [
        {"id": "b1", "title": "Play", "url": "https://www.example.com/play", "deep_link": ""}
    ]
    shown = editor.get(change(resource)).context["adminform"].form.initial
    assert (shown["ttl_amount"], shown["ttl_unit"], shown["button_1_title"]) == (2, "hours", "Play")


def test_saving_again_unchanged_makes_no_revision(editor):
    editor.post(PUSH_ADD, PUSH)
    resource = PushResource.objects.get()
    editor.post(change(resource), PUSH)
    assert PushRevision.objects.count() == 1
    editor.post(change(resource), {**PUSH, "message": "New"})
    assert [row.number for row in PushRevision.objects.order_by("number")] == [1, 2]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "{{ user.name"),
        ("message", "{{ user.name | shout }}"),
        ("click_url", "https://evil.com/"),
        ("icon", "http://insecure.example.com/i.png"),
        ("button_1_url", "https://evil.example/"),
        ("button_2_url", "javascript:alert(1)"),
        ("ttl_amount", "40000"),
        ("title", "{{{"),
        ("message", "{{{ user.name }}"),
        ("click_url", "https://[your-site].com/"),
        ("click_url", "https://www.example.com/{% raw %}{{{% endraw %}"),
        ("click_url", "https://www.example.com/{% if user.a %}a b{% endif %}"),
        ("button_1_url", "https://www.example.com:99999/"),
        ("button_1_url", "https://a b/{{ user.a }}"),
        ("icon", "https://[your-site].com/i.png"),
        ("image", "https://*.com/i.png"),
        ("badge", "https://www.example.com:99999/i.png"),
        ("deep_link", "shop://a/{% raw %}{%{% endraw %}"),
    ],
)
def test_faults_of_a_push_stand_beside_their_fields(editor, field, value):
    answer = editor.post(
        PUSH_ADD, {**PUSH, "button_2_title": "x", "button_2_url": "https://www.example.com", field: value}
    )
    assert list(errors(answer)) == [field]
    assert not PushResource.objects.exists()


def test_a_taken_name_is_refused_at_the_name(editor, brand, push_draft_one):
    push_resource_save(brand=brand, name="Bonus", draft=push_draft_one)
    assert "name" in errors(editor.post(PUSH_ADD, PUSH))


def test_languages_are_written_one_at_a_time_and_dropped(editor):
    editor.post(PUSH_ADD, PUSH)
    resource = PushResource.objects.get()
    german = {**PUSH, "language": "de", "title": "Hallo", "message": "Dein Bonus wartet."}
    assert editor.get(change(resource) + "?language=de").context["adminform"].form.initial["language"] == "de"
    editor.post(change(resource) + "?language=de", german)
    resource.refresh_from_db()
    assert {item.language for item in resource.current_revision.variants.all()} == {"de", "en"}
    assert resource.current_revision.default_language == "en"
    editor.post(change(resource) + "?language=de", {**german, "drop_language": "on"})
    resource.refresh_from_db()
    assert {item.language for item in resource.current_revision.variants.all()} == {"en"}


def test_the_preview_personalises_and_points_at_faults(editor):
    body = json.dumps({"title": "Hi {{ user.first_name }} of {{ brand.name }}", "message": "{{ user.x"})
    answer = editor.post(reverse("admin:assets_pushresource_preview"), body, content_type="application/json").json()
    assert answer["texts"]["title"] == "Hi Ann of Acme"
    assert "column 1" in answer["problems"]["message"]
    for bad in ("[]", "{", '{"title": 1}', r'{"title": "\ud800"}', r'{"utm_source": "\udfff"}', "[" * 20_000):
        answer = editor.post(reverse("admin:assets_pushresource_preview"), bad, content_type="application/json")
        assert answer.status_code == 400


def test_a_popup_is_written_and_changed(editor, brand):
    assert editor.post(POPUP_ADD, POPUP).status_code == 302
    resource = PopupResource.objects.get()
    assert (resource.brand, resource.current_revision.colour_button) == (brand, "#1d4ed8")
    editor.post(change(resource), {**POPUP, "text": "Better news."})
    assert PopupResource.objects.get().current_revision.number == 2
    assert b"Better news." in editor.get(change(resource)).content


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"primary": "url", "primary_url": "https://evil.com"}, "primary_url"),
        ({"colour_text": "red"}, "colour_text"),
        ({"title": "{{ user.x }}"}, "title"),
        ({"image": "data:image/png;base64,x"}, "image"),
    ],
)
def test_faults_of_a_popup_stand_beside_their_fields(editor, changes, field):
    assert list(errors(editor.post(POPUP_ADD, {**POPUP, **changes}))) == [field]


def test_the_popups_preview_page_has_only_the_drawing_code(editor):
    page = editor.get(reverse("admin:assets_popupresource_preview")).content.decode()
    assert page.count("<script") == 2
    assert "devices/sdk/simple.js" in page


def upload(client, data):
    file = io.BytesIO(data)
    file.name = "icon.png"
    return client.post(reverse("admin:assets_pushresource_upload"), {"file": file})


def png():
    out = io.BytesIO()
    Picture.new("RGB", (8, 8), "red").save(out, "PNG")
    return out.getvalue()


def test_an_uploaded_picture_gets_an_address_that_the_editor_takes(editor, brand):
    url = upload(editor, png()).json()["url"]
    assert Image.objects.get().brand == brand
    assert editor.post(PUSH_ADD, {**PUSH, "icon": url}).status_code == 302
    assert upload(editor, b"<svg/>").status_code == 400
    assert editor.post(reverse("admin:assets_pushresource_upload")).status_code == 400


def test_a_test_push_is_sent_to_an_end_user_by_a_publisher(client, brand, push_draft_one):
    push = push_resource_save(brand=brand, name="Bonus", draft=push_draft_one).resource
    page = reverse("admin:assets_pushresource_test", args=[push.pk])
    assert login(client, brand, "editor").get(page).status_code == 403
    login(client, brand, "publisher")
    ann = EndUser.objects.create(brand=brand, external_id="ann")
    assert b"no device" in client.post(page, {"external_id": "ann"}).content
    assert b"no end user" in client.post(page, {"external_id": "bob"}).content
    reach(ann)
    answer = client.post(page, {"external_id": "ann"}, follow=True)
    assert b"on its way to 1 device" in answer.content
    assert Delivery.objects.get().end_user_id == ann.pk


def test_viewers_read_and_do_not_write(client, brand, push_draft_one, popup_draft_one):
    push = push_resource_save(brand=brand, name="Bonus", draft=push_draft_one).resource
    popup = popup_resource_save(brand=brand, name="Ask", draft=popup_draft_one).resource
    login(client, brand, "viewer")
    assert b"Your bonus waits." in client.get(change(push)).content
    assert b"Only good news." in client.get(change(popup)).content
    assert client.post(change(push), PUSH).status_code == 403
    assert client.post(PUSH_ADD, PUSH).status_code == 403
    assert upload(client, png()).status_code == 403


def test_strangers_to_the_brand_see_and_change_nothing(client, brand, push_draft_one, popup_draft_one):
    push = push_resource_save(brand=brand, name="Bonus", draft=push_draft_one).resource
    popup = popup_resource_save(brand=brand, name="Ask", draft=popup_draft_one).resource
    other = Brand.objects.create(name="Other")
    App.objects.create(brand=other, name="Site", origin="https://www.example.com")
    login(client, other, "admin")
    for resource in (push, popup):
        assert client.get(change(resource)).status_code == 302
        assert client.post(change(resource), PUSH | POPUP).status_code in (302, 403, 404)
    assert client.get(reverse("admin:assets_pushresource_test", args=[push.pk])).status_code == 404
    assert b"Bonus" not in client.get(reverse("admin:assets_pushresource_changelist")).content
    assert PushRevision.objects.count() == 1


def test_every_field_of_a_push_is_kept_and_shown_again(editor, brand):
    more = {
        "button_2_title": "Later", "button_2_url": "https://www.example.com/later", "button_2_deep_link": "shop://later",
        "button_3_title": "No", "button_3_url": "https://www.example.com/no", "deep_link": "shop://bonus",
        "utm_campaign": "spring", "silent": "on", "app_badge": "2", "category": "NEWS",
    }  # fmt: skip
    category_create(brand=brand, name="News")
    assert editor.post(PUSH_ADD, PUSH | more).status_code == 302
    resource = PushResource.objects.get()
    revision = resource.current_revision
    assert (revision.silent, revision.app_badge, revision.category) == (True, 2, "NEWS")
    assert revision.utm == {"source": "smartpush", "medium": "push", "campaign": "spring"}
    shown = editor.get(change(resource)).context["adminform"].form.initial
    assert {name: str(shown[name]) for name in more if name != "silent"} == {
        k: v for k, v in more.items() if k != "silent"
    }


def test_a_new_push_is_tagged_unless_the_marketer_clears_it(editor):
    shown = editor.get(PUSH_ADD).context["adminform"].form.initial
    assert (shown["utm_source"], shown["utm_medium"]) == ("smartpush", "push")
    editor.post(PUSH_ADD, PUSH | {"utm_source": "", "utm_medium": ""})
    resource = PushResource.objects.get()
    assert resource.current_revision.utm == {}
    assert editor.get(change(resource)).context["adminform"].form.initial["utm_source"] == ""


def test_the_preview_weighs_the_push(editor):
    address = reverse("admin:assets_pushresource_preview")

    def weigh(**fields):
        return editor.post(address, json.dumps(fields), content_type="application/json").json()["size"]

    small, tagged = weigh(title="Hi", message="There"), weigh(title="Hi", message="There", utm_source="smartpush")
    assert 100 < small["bytes"] == tagged["bytes"] < small["aim"] < small["most"] == 3993
    link = {"title": "Hi", "message": "There", "click_url": "https://www.example.com/"}
    assert weigh(**link, utm_source="smartpush")["bytes"] == weigh(**link)["bytes"] + len("?utm_source=smartpush")
    assert weigh(title="Hi", message="x" * 5000)["bytes"] > 3993
    assert weigh(title="Hi", message="x", click_url="https://evil.com/") is None


@pytest.mark.parametrize(
    ("asked", "opened", "label"),
    [
        ("pt-PT", "pt-PT", "Portuguese (Portugal)"),
        ("es_mx", "es-MX", "Spanish (Mexico)"),
        ("nb", "nb", "Norwegian Bokmål"),
        ("iw", "he", "Hebrew"),
        ("he-Hebr", "he-Hebr", "Hebrew"),
        ("EN", "en", "English"),
        ("klingon", "en", "English"),
        ("zz", "en", "English"),
        ("C", "en", "English"),
        ("", "en", "English"),
    ],
)
def test_the_editor_opens_the_language_that_its_address_names(editor, asked, opened, label):
    editor.post(PUSH_ADD, PUSH)
    resource = PushResource.objects.get()
    editor.post(change(resource) + "?language=he", {**PUSH, "language": "he", "title": "שלום"})
    page = editor.get(change(resource), {"language": asked})
    assert page.context["adminform"].form.initial["language"] == opened
    assert (page.context["editor"]["language"], page.context["editor"]["language_label"]) == (opened, label)
    saved = {**PUSH, "language": opened, "title": "Hi", "_continue": "1"}
    answer = editor.post(change(resource) + f"?language={asked}", saved)
    assert answer.status_code == 302
    assert editor.get(answer["Location"]).context["adminform"].form.initial["language"] == opened
    resource.refresh_from_db()
    assert {item.language for item in resource.current_revision.variants.all()} == {"en", "he", opened}


def test_one_language_under_two_names_is_refused_and_relatives_are_two(brand, push_draft_one):
    (plain,) = push_draft_one.variants

    def save(*languages):
        variants = tuple(replace(plain, language=language) for language in ("en", *languages))
        push_resource_save(brand=brand, name=" ".join(languages), draft=replace(push_draft_one, variants=variants))

    save("nb", "nn", "no", "pt-BR", "pt-PT", "zh", "zh-TW")
    for twice in (("he", "iw"), ("zh-TW", "zh-Hant-TW"), ("en-GB", "en-UK")):
        with pytest.raises(CannotSaveResource, match="twice"):
            save(*twice)
    with pytest.raises(CannotSaveResource, match="not a language"):
        save("und")


def test_another_language_can_become_the_default_and_the_old_one_be_removed(editor):
    editor.post(PUSH_ADD, PUSH)
    resource = PushResource.objects.get()
    german = {**PUSH, "language": "de", "title": "Hallo", "message": "Dein Bonus wartet."}
    page = editor.get(change(resource) + "?language=de").content.decode()
    assert "Empty: as in English" in page
    editor.post(change(resource) + "?language=de", {**german, "make_default": "on"})
    resource.refresh_from_db()
    assert resource.current_revision.default_language == "de"
    editor.post(change(resource) + "?language=en", {**PUSH, "drop_language": "on"})
    resource.refresh_from_db()
    assert [item.language for item in resource.current_revision.variants.all()] == ["de"]


def test_a_popup_with_categories_is_written_and_its_preview_knows_their_words(editor, brand, categories_popup):
    chosen = {
        "template": "categories",
        "categories": ["OFFERS", "NEWS"],
        "expires_amount": "2",
        "expires_unit": "hours",
    }
    assert list(errors(editor.post(POPUP_ADD, POPUP | {"template": "categories"}))) == ["categories"]
    assert editor.post(POPUP_ADD, POPUP | chosen).status_code == 302
    resource = PopupResource.objects.get()
    revision = resource.current_revision
    assert (revision.template, sorted(revision.categories), revision.expires_after) == (
        "categories",
        ["NEWS", "OFFERS"],
        7200,
    )
    words = editor.get(change(resource) + "?language=el").context["popup_words"]["categories"]
    assert [item["name"] for item in words] == ["Νέα", "Offers"]


@pytest.mark.parametrize("field", ["title", "message", "button_1_title"])
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{% raw %}{{{% endraw %}", "{{"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{% raw %}{%{% endraw %}", "{%"),
        ("{{ '{{' }}", "{{"),
    ],
)
def test_braces_that_are_meant_as_text_can_be_saved_and_come_out_as_such(editor, field, text, shown):
    assert editor.post(PUSH_ADD, {**PUSH, field: text}).status_code == 302
    assert PushRevision.objects.count() == 1
    typed = {"title": "a", "message": "b", "button_1_title": "c"} | {field: text}
    preview = editor.post(
        reverse("admin:assets_pushresource_preview"), json.dumps(typed), content_type="application/json"
    ).json()
    assert preview["texts"][field] == shown
    assert preview["size"]["bytes"] > 0
