"""Push categories: written by editors, with a marker that stays, in each language's words, in the marketer's order."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from assets.services import PushDraft, PushVariantDraft, popup_resource_save, push_resource_save
from devices.models import App, Brand, EndUser, PushCategory
from devices.people.selectors.categories import categories_in_use, category_words
from devices.people.services.categories import (
    CannotSaveCategory,
    categories_make_default,
    categories_reorder,
    category_archive,
    category_change,
    category_create,
    marker_suggest,
)
from segments.services import segment_save
from smartpush.common.time.clock import utc_now
from tests.assets.editors import login

LIST, ADD = reverse("admin:devices_pushcategory_changelist"), reverse("admin:devices_pushcategory_add")


def url(name, category, *more):
    return reverse(f"admin:devices_pushcategory_{name}", args=[category.pk, *more])


def typed(**changes):
    blank = {"translations_language": [], "translations_name": [], "translations_description": []}
    return {"name": "News", "description": "First hand.", "marker": "NEWS"} | blank | changes


@pytest.mark.parametrize(
    ("name", "marker"),
    [("News", "NEWS"), ("Sports & more", "SPORTS_MORE"), ("Días de fútbol", "DIAS_DE_FUTBOL"), ("Νέα", "")],
)
def test_a_marker_is_made_of_the_name(name, marker):
    assert marker_suggest(name) == marker


def test_a_category_without_a_latin_name_asks_for_its_marker(brand):
    with pytest.raises(CannotSaveCategory) as refused:
        category_create(brand=brand, name="Νέα")
    assert list(refused.value.fields) == ["marker"]
    assert category_create(brand=brand, name="Νέα", marker="nea").marker == "NEA"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 121, "marker": "X"}, "name"),
        ({"description": "x" * 201}, "description"),
        ({"marker": "no/slash"}, "marker"),
        ({"translations": {"el": {"name": ""}}}, "translations.el.name"),
        ({"translations": {"Greek!": {"name": "x"}}}, "translations.Greek!"),
    ],
)
def test_faults_of_a_category_are_named(brand, changes, field):
    with pytest.raises(CannotSaveCategory) as refused:
        category_create(brand=brand, **({"name": "News", "marker": "NEWS"} | changes))
    assert field in refused.value.fields
    assert not PushCategory.objects.exists()


def test_a_marker_is_upper_case_and_once_in_a_brand_and_the_database_holds_it(brand):
    category_create(brand=brand, name="News")
    with pytest.raises(CannotSaveCategory) as refused:
        category_create(brand=brand, name="Other", marker="news")
    assert "marker" in refused.value.fields
    category_create(brand=Brand.objects.create(name="Other"), name="News")
    with pytest.raises(IntegrityError), transaction.atomic():
        PushCategory.objects.create(brand=brand, name="x", marker="lower")


def test_the_words_fall_back_from_a_region_to_its_language_to_the_brands_own(brand):
    words = {"pt": {"name": "Notícias", "description": ""}, "el": {"name": "Νέα", "description": "Πρώτοι"}}
    category = category_create(brand=brand, name="News", description="First hand.", translations=words)
    said = {
        language: category_words(category=category, language=language)["name"] for language in ("pt-BR", "el", "fr")
    }
    assert said == {"pt-BR": "Notícias", "el": "Νέα", "fr": "News"}


def test_the_order_is_the_marketers_and_new_ones_come_last(brand):
    for name in ("One", "Two", "Three"):
        category_create(brand=brand, name=name)
    categories_reorder(brand=brand, markers=["THREE", "ONE"])
    category_create(brand=brand, name="Four")
    assert [row.marker for row in categories_in_use(brand_id=brand.pk)] == ["THREE", "ONE", "TWO", "FOUR"]


def test_default_categories_are_made_only_where_none_is_in_use(brand):
    assert [row.marker for row in categories_make_default(brand=brand)] == ["NEWS", "OFFERS"]
    for row in PushCategory.objects.filter(brand=brand):
        category_archive(category=row, now=utc_now())
    assert len(categories_make_default(brand=brand)) == PushCategory.objects.count() == 2
    other = Brand.objects.create(name="Other")
    category_create(brand=other, name="Own")
    assert [row.marker for row in categories_make_default(brand=other)] == ["OWN"]


def test_a_fixed_marker_stays_and_a_free_one_moves(brand):
    category = category_create(brand=brand, name="News")
    with pytest.raises(CannotSaveCategory):
        category_change(category=category, name="News", marker="LETTERS")
    assert category_change(category=category, name="News", marker="letters", marker_fixed=False).marker == "LETTERS"


# --- the page ---
@pytest.fixture
def editor(client, brand):
    return login(client, brand, "editor")


def test_an_editor_writes_a_category_in_two_languages(editor, brand):
    rows = {"translations_language": ["el"], "translations_name": ["Νέα"], "translations_description": [""]}
    assert editor.post(ADD, typed(marker="", **rows)).status_code == 302
    made = PushCategory.objects.get()
    assert (made.brand, made.marker, made.translations) == (brand, "NEWS", {"el": {"name": "Νέα", "description": ""}})
    page = editor.get(url("change", made)).content.decode()
    assert "Νέα" in page
    assert editor.post(url("change", made), typed(name="Letters")).status_code == 302
    made.refresh_from_db()
    assert (made.name, made.marker, made.translations) == ("Letters", "NEWS", {})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"marker": "a/b"}, "marker"),
        (
            {
                "translations_language": ["", "el"],
                "translations_name": ["x", "y"],
                "translations_description": ["", ""],
            },
            "translations",
        ),
        (
            {
                "translations_language": ["el", "el"],
                "translations_name": ["x", "y"],
                "translations_description": ["", ""],
            },
            "translations",
        ),
    ],
)
def test_faults_stand_beside_their_fields(editor, changes, field):
    answer = editor.post(ADD, typed(**changes))
    assert list(answer.context["adminform"].form.errors) == [field]


def _ticked(brand, category):
    EndUser.objects.create(brand=brand, external_id="ann", js_markers=[category.marker])


def _in_segment(brand, category):
    rule = {"all": [{"field": "js_markers", "operator": "has_any", "value": ["X", category.marker]}]}
    segment_save(brand=brand, name="Readers", rules={"version": 1, "rule": rule})


def _asked_of_pushes(brand, category):
    params = {"outcome": "clicked", "category": category.marker}
    rule = {"all": [{"field": "push", "params": params, "operator": "happened"}]}
    segment_save(brand=brand, name="Clickers", rules={"version": 1, "rule": rule})


def _about_it(brand, category):
    draft = PushDraft(variants=(PushVariantDraft("en", "New", "Books."),), category=category.marker)
    push_resource_save(brand=brand, name="Letter", draft=draft)


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (_ticked, "1 end user has it now"),
        (_in_segment, "the segment “Readers”"),
        (_asked_of_pushes, "the segment “Clickers”"),
        (_about_it, "the push “Letter”"),
    ],
)
def test_a_marker_in_use_is_fixed_and_the_page_says_where(editor, brand, use, said):
    category = category_create(brand=brand, name="News")
    assert "no popup, push or segment uses it" in editor.get(url("change", category)).content.decode()
    use(brand, category)
    assert said in editor.get(url("change", category)).content.decode()
    editor.post(url("change", category), typed(marker="OTHER"))
    category.refresh_from_db()
    assert category.marker == "NEWS"


def test_a_category_is_archived_after_a_question_and_popups_offer_it_no_more(editor, brand, categories_popup):
    category = PushCategory.objects.get(marker="NEWS")
    popup_resource_save(brand=brand, name="Choose", draft=categories_popup)
    question = editor.get(url("archive", category)).content.decode()
    assert "the popup “Choose”" in question
    assert PushCategory.objects.get(pk=category.pk).archived_at is None
    editor.post(url("archive", category), {"step": "Archive now"})
    assert [row.marker for row in categories_in_use(brand_id=brand.pk)] == ["OFFERS"]
    assert "News" not in editor.get(LIST).context["cl"].result_list.values_list("name", flat=True)
    editor.post(url("archive", category), {"step": "Restore now"})
    assert len(categories_in_use(brand_id=brand.pk)) == 2


def test_categories_move_up_and_down(editor, brand):
    one, two = category_create(brand=brand, name="One"), category_create(brand=brand, name="Two")
    editor.post(url("move", two, "up"))
    assert [row.marker for row in categories_in_use(brand_id=brand.pk)] == ["TWO", "ONE"]
    editor.post(url("move", two, "down"))
    editor.post(url("move", two, "down"))
    assert [row.marker for row in categories_in_use(brand_id=brand.pk)] == ["ONE", "TWO"]
    assert editor.get(url("move", one, "up")).status_code == 405
    assert editor.post(url("move", one, "sideways")).status_code == 400


def test_viewers_and_strangers_change_no_category(client, brand):
    category = category_create(brand=brand, name="News")
    login(client, brand, "viewer")
    assert b"News" in client.get(url("change", category)).content
    for answer in (
        client.post(ADD, typed()),
        client.post(url("change", category), typed(name="Stolen")),
        client.post(url("move", category, "up")),
        client.post(url("archive", category)),
    ):
        assert answer.status_code == 403
    other = Brand.objects.create(name="Other")
    App.objects.create(brand=other, name="Site", origin="https://other.example.com")
    login(client, other, "admin")
    assert client.get(url("change", category)).status_code == 302
    assert client.post(url("move", category, "up")).status_code == 404
    assert client.post(url("archive", category)).status_code == 404
    category.refresh_from_db()
    assert (category.name, category.archived_at) == ("News", None)
