"""Popup resources: immutable revisions, structured fields, readable colours."""

from dataclasses import replace

import pytest

from assets.models import PopupResource, PopupRevision
from assets.services import (
    CannotSaveResource,
    Colours,
    PopupVariantDraft,
    popup_content,
    popup_draft,
    popup_problem,
    popup_resource_save,
    popup_warnings,
)
from assets.services.refusals import contrast
from devices.models import Brand
from devices.people.selectors.categories import categories_in_use
from devices.people.services.categories import category_archive
from smartpush.common.time.clock import utc_now


def faults(brand, draft):
    with pytest.raises(CannotSaveResource) as caught:
        popup_resource_save(brand=brand, name="Ask", draft=draft)
    return caught.value.fields


def test_saving_makes_revisions_only_when_something_changed(brand, staff, popup_draft_one):
    first = popup_resource_save(brand=brand, name="Ask", draft=popup_draft_one, by=staff)
    assert popup_draft(first) == popup_draft_one
    shouting = replace(popup_draft_one, colours=Colours(background="#FFFFFF"))
    assert popup_resource_save(brand=brand, name="Ask", draft=shouting, resource=first.resource) == first
    dark = replace(popup_draft_one, colours=Colours(background="#000000", text="#ffffff"))
    second = popup_resource_save(brand=brand, name="Ask", draft=dark, resource=first.resource)
    assert (second.number, PopupRevision.objects.count()) == (2, 2)
    assert PopupResource.objects.get().current_revision == second


def test_the_content_is_what_the_delivery_side_reads(brand, popup_draft_one):
    revision = popup_resource_save(brand=brand, name="Ask", draft=popup_draft_one)
    assert popup_content(revision) == {
        "kind": "popup",
        "template": "simple",
        "revision": revision.pk,
        "revision_id": revision.pk,
        "default_language": "en",
        "expires_after": 86400,
        "colours": {"background": "#ffffff", "text": "#1f2328", "button": "#4f46e5", "button_text": "#ffffff"},
        "primary": {"kind": "permission", "url": ""},
        "variants": {
            "en": {
                "title": "Stay in touch?",
                "text": "Only good news.",
                "image": "",
                "subscribe_label": "Subscribe",
                "later_label": "Maybe later",
                "close_label": "Close",
            }
        },
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "{{ user.name }}"}, "title"),
        ({"text": "x" * 601}, "text"),
        ({"image": "http://cdn.example.net/i.png"}, "image"),
        ({"subscribe_label": " "}, "subscribe_label"),
        ({"later_label": "x" * 61}, "later_label"),
        ({"close_label": ""}, "close_label"),
    ],
)
def test_faults_are_named_by_field(brand, popup_draft_one, changes, field):
    draft = replace(popup_draft_one, variants=(replace(popup_draft_one.variants[0], **changes),))
    assert list(faults(brand, draft)) == [f"variants.en.{field}"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"template": "modal"}, "template"),
        ({"template": "categories"}, "categories"),
        ({"template": "categories", "categories": ("NOBODYS",)}, "categories"),
        ({"expires_after": 29}, "expires_after"),
        ({"expires_after": 2_419_201}, "expires_after"),
        ({"primary": "explode"}, "primary"),
        ({"primary": "url"}, "primary_url"),
        ({"primary": "url", "primary_url": "https://evil.com/"}, "primary_url"),
        ({"primary": "url", "primary_url": "https://www.example.com/{{ user.x }}"}, "primary_url"),
        ({"colours": Colours(text="red; }")}, "colour_text"),
        ({"default_language": "de"}, "default_language"),
    ],
)
def test_faults_of_the_whole_are_named(brand, popup_draft_one, changes, field):
    assert list(faults(brand, replace(popup_draft_one, **changes))) == [field]


def test_the_page_of_a_button_is_kept_only_where_it_opens_one(brand, popup_draft_one):
    opens = replace(popup_draft_one, primary="url", primary_url="https://www.example.com/promo")
    revision = popup_resource_save(brand=brand, name="Promo", draft=opens)
    assert popup_content(revision)["primary"] == {"kind": "url", "url": "https://www.example.com/promo"}
    clicks = replace(opens, primary="click")
    revision = popup_resource_save(brand=brand, name="Click", draft=clicks)
    assert popup_content(revision)["primary"] == {"kind": "click", "url": ""}


def test_a_button_that_only_closes_says_so_to_pages(brand, popup_draft_one):
    closes = replace(popup_draft_one, primary="close")
    revision = popup_resource_save(brand=brand, name="Heads up", draft=closes)
    assert popup_content(revision)["primary"] == {"kind": "close", "url": "", "outcome": "closed"}


def test_a_button_that_only_closes_keeps_no_categories(brand, categories_popup):
    assert list(faults(brand, replace(categories_popup, primary="close"))) == ["primary"]


def test_colours_that_are_hard_to_read_are_warned_of(brand, popup_draft_one):
    assert popup_warnings(brand=brand, draft=popup_draft_one) == []
    pale = replace(popup_draft_one, colours=Colours(text="#dddddd"))
    (warning,) = popup_warnings(brand=brand, draft=pale)
    assert "hard to read" in warning


def test_contrast_is_the_one_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_offered_categories_travel_in_each_languages_words(brand, categories_popup):
    greek = PopupVariantDraft(language="el", title="Μείνετε κοντά;")
    draft = replace(categories_popup, variants=(*categories_popup.variants, greek))
    revision = popup_resource_save(brand=brand, name="Choose", draft=draft)
    variants = popup_content(revision)["variants"]
    assert variants["en"]["categories"] == [
        {"marker": "NEWS", "name": "News", "description": "First hand."},
        {"marker": "OFFERS", "name": "Offers", "description": ""},
    ]
    assert [item["name"] for item in variants["el"]["categories"]] == ["Νέα", "Offers"]
    assert popup_draft(revision).categories == ("NEWS", "OFFERS")


def test_an_archived_category_is_offered_no_more_and_a_popup_left_without_says_so(brand, categories_popup):
    revision = popup_resource_save(brand=brand, name="Choose", draft=categories_popup)
    assert popup_problem(revision) == ""
    first, second = categories_in_use(brand_id=brand.pk)
    category_archive(category=first, now=utc_now())
    assert [item["marker"] for item in popup_content(revision)["variants"]["en"]["categories"]] == ["OFFERS"]
    category_archive(category=second, now=utc_now())
    assert "archived" in popup_problem(revision)


def test_categories_of_another_brand_are_not_offered(brand, categories_popup):
    other = Brand.objects.create(name="Other")
    assert list(faults(other, categories_popup)) == ["categories"]


def test_a_simple_popup_keeps_no_categories(brand, categories_popup):
    revision = popup_resource_save(brand=brand, name="Ask", draft=replace(categories_popup, template="simple"))
    assert revision.categories == []


def test_a_language_without_an_image_has_the_default_ones(brand, popup_draft_one):
    english = replace(popup_draft_one.variants[0], image="https://cdn.example.net/fair.png")
    greek = PopupVariantDraft(language="el", title="Μείνετε κοντά;")
    revision = popup_resource_save(brand=brand, name="Ask", draft=replace(popup_draft_one, variants=(english, greek)))
    assert popup_content(revision)["variants"]["el"]["image"] == "https://cdn.example.net/fair.png"
    assert {item.language: item.image for item in popup_draft(revision).variants}["el"] == ""


def test_the_second_button_may_be_left_out_where_permission_is_not_asked(brand, popup_draft_one):
    silent = replace(popup_draft_one, variants=(replace(popup_draft_one.variants[0], later_label=""),))
    assert list(faults(brand, silent)) == ["variants.en.later_label"]
    popup_resource_save(brand=brand, name="Fair", draft=replace(silent, primary="click"))


def test_an_offer_stays_open_as_long_as_the_marketer_says(brand, popup_draft_one):
    revision = popup_resource_save(brand=brand, name="Ask", draft=replace(popup_draft_one, expires_after=3600))
    assert popup_content(revision)["expires_after"] == 3600
