"""A language that is added keeps the buttons and begins with its own words for them."""

import pytest

from assets.models import PopupResource, PushResource
from devices.models import Brand, PushCategory
from devices.people.services.categories import categories_make_default, category_create, category_translations
from tests.assets.editors import POPUP, POPUP_ADD, PUSH, PUSH_ADD, change


def _begun(client, resource, language):
    return client.get(change(resource), {"language": language}).context["adminform"].form.initial


def test_a_push_keeps_its_buttons_and_where_they_lead(editor):
    buttons = {
        "button_1_deep_link": "shop://play",
        "button_2_title": "Not now",
        "button_3_title": "Show me",
        "button_3_url": "https://www.example.com/all",
    }
    editor.post(PUSH_ADD, {**PUSH, **buttons})
    shown = _begun(editor, PushResource.objects.get(), "de")
    assert (shown["button_1_title"], shown["button_1_url"], shown["button_1_deep_link"]) == (
        "Play", "https://www.example.com/play", "shop://play"
    )  # fmt: skip
    assert (shown["button_2_title"], shown["button_2_url"]) == ("Nicht jetzt", "")
    assert (shown["button_3_title"], shown["button_3_url"]) == ("Anzeigen", "https://www.example.com/all")
    assert "title" not in shown


@pytest.mark.parametrize(
    ("typed", "language", "shown"),
    [
        ({}, "de", ("Abonnieren", "Vielleicht später", "Schließen")),
        ({}, "pt-BR", ("Inscrever-se", "Talvez mais tarde", "Fechar")),
        ({"subscribe_label": "Yes please", "later_label": "No thanks"}, "fr", ("S’abonner", "Plus tard", "Fermer")),
        (
            {"primary": "url", "primary_url": "https://www.example.com/", "subscribe_label": "Show me"},
            "es",
            ("Ver", "Ahora no", "Cerrar"),
        ),
        ({"primary": "click", "subscribe_label": "Got it", "later_label": ""}, "nl", ("Begrepen", "", "Sluiten")),
        ({"primary": "close", "subscribe_label": "Not now", "later_label": ""}, "el", ("Όχι τώρα", "", "Κλείσιμο")),
        ({"primary": "close", "subscribe_label": "Got it", "later_label": ""}, "el", ("Εντάξει", "", "Κλείσιμο")),
        ({"primary": "close", "subscribe_label": "Fine", "later_label": ""}, "fr", ("Compris", "", "Fermer")),
    ],
)
def test_a_popup_has_the_buttons_of_the_default_in_words_of_the_language(editor, typed, language, shown):
    editor.post(POPUP_ADD, {**POPUP, **typed})
    begun = _begun(editor, PopupResource.objects.get(), language)
    assert (begun["subscribe_label"], begun["later_label"], begun["close_label"]) == shown


def test_the_first_language_is_the_brands(editor, brand):
    Brand.objects.filter(pk=brand.pk).update(default_language="it")
    page = editor.get(POPUP_ADD)
    assert page.context["adminform"].form.initial["subscribe_label"] == "Iscriviti"
    assert page.context["popup_words"]["labels"]["click"] == {"subscribe_label": "Ho capito", "later_label": "Non ora"}


def test_categories_stand_in_the_editors_in_the_words_of_their_language(editor, brand):
    category_create(brand=brand, name="News", translations={"el": {"name": "Νέα", "description": ""}})
    editor.post(POPUP_ADD, POPUP)
    form = editor.get(change(PopupResource.objects.get()), {"language": "el"}).context["adminform"].form
    assert form.fields["categories"].choices == [("NEWS", "Νέα")]


def test_ready_categories_are_in_the_brands_language_with_the_same_markers(brand):
    Brand.objects.filter(pk=brand.pk).update(default_language="ru")
    brand.refresh_from_db()
    rows = categories_make_default(brand=brand)
    assert [(row.marker, row.name) for row in rows] == [("NEWS", "Новости"), ("OFFERS", "Предложения")]


def test_a_category_of_ours_is_known_in_every_language_and_another_in_none(brand):
    ours = PushCategory(brand=brand, marker="OFFERS", name="Angebote")
    assert category_translations(category=ours, languages=["fr", "zh-TW"]) == {
        "fr": ("Offres", "Des remises et des offres qui se terminent bientôt."),
        "zh-TW": ("優惠", "折扣和限時活動。"),
    }
    sports = PushCategory(brand=brand, marker="NEWS", name="Sports")
    assert category_translations(category=sports, languages=["fr"]) == {}


def test_a_sole_button_that_only_closes_begins_as_an_answer_not_a_refusal(editor):
    labels = editor.get(POPUP_ADD).context["popup_words"]["labels"]
    assert labels["close"] == {"subscribe_label": "Got it", "later_label": ""}


def test_every_button_of_a_push_says_what_it_does_without_an_address(editor):
    form = editor.get(PUSH_ADD, follow=True).context["adminform"].form
    hints = [form.fields[f"button_{number}_url"].help_text for number in (1, 2, 3)]
    assert all(hint.startswith("Empty: the button only closes the push.") for hint in hints)
