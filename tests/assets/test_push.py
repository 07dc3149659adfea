"""Push resources: immutable revisions, refused with the field named."""

from dataclasses import replace

import pytest

from assets.models import PushResource, PushRevision
from assets.services import (
    ButtonDraft,
    CannotSaveResource,
    PushVariantDraft,
    Utm,
    push_content,
    push_draft,
    push_resource_save,
    push_warnings,
)
from devices.models import Brand, PropertyDefinition
from devices.people.services.categories import category_archive, category_create
from smartpush.common.time.clock import utc_now


def variant(draft, **changes):
    return replace(draft, variants=(replace(draft.variants[0], **changes),))


def faults(brand, draft, name="Bonus", **more):
    with pytest.raises(CannotSaveResource) as caught:
        push_resource_save(brand=brand, name=name, draft=draft, **more)
    return caught.value


def test_the_first_save_makes_revision_one(brand, staff, push_draft_one):
    revision = push_resource_save(brand=brand, name=" Bonus ", draft=push_draft_one, by=staff)
    resource = PushResource.objects.get()
    assert (resource.name, resource.current_revision, revision.number) == ("Bonus", revision, 1)
    assert revision.created_by == staff
    assert push_draft(revision) == push_draft_one


def test_a_change_makes_the_next_revision_and_leaves_the_old_one(brand, push_draft_one):
    first = push_resource_save(brand=brand, name="Bonus", draft=push_draft_one)
    second = push_resource_save(
        brand=brand, name="Bonus", draft=variant(push_draft_one, title="New"), resource=first.resource
    )
    assert (first.number, second.number) == (1, 2)
    first.refresh_from_db()
    assert first.variants.get().title == push_draft_one.variants[0].title
    assert PushResource.objects.get().current_revision == second


def test_saving_the_same_again_makes_no_revision(brand, push_draft_one):
    first = push_resource_save(brand=brand, name="Bonus", draft=push_draft_one)
    again = push_resource_save(
        brand=brand,
        name="Renamed",
        draft=variant(push_draft_one, message="Your bonus waits.\r\n"),
        resource=first.resource,
    )
    assert again == first
    assert PushRevision.objects.count() == 1
    assert PushResource.objects.get().name == "Renamed"


def test_the_content_is_what_the_delivery_side_reads(brand, push_draft_one):
    revision = push_resource_save(brand=brand, name="Bonus", draft=push_draft_one)
    assert push_content(revision) == {
        "kind": "push",
        "revision": revision.pk,
        "default_language": "en",
        "ttl": 86400,
        "urgency": "normal",
        "policy": "at_least_once",
        "utm": {},
        "silent": False,
        "app_badge": None,
        "variants": {
            "en": {
                "title": 'Hi {{ user.first_name | default: "there" }}',
                "message": "Your bonus waits.",
                "icon": "https://cdn.example.net/icon.png",
                "image": "",
                "badge": "",
                "url": "https://www.example.com/bonus?u={{ user.external_id }}",
                "deep_link": "",
                "buttons": [{"id": "b1", "title": "Play", "url": "https://a.shop.example.com/", "deep_link": ""}],
            }
        },
    }


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"title": " "}, "title", "Give the push a title"),
        ({"title": "Hi {{ user.name"}, "title", "column 4"),
        ({"title": "x" * 201}, "title", "200 is the most"),
        ({"title": "a\x07b"}, "title", "control character"),
        ({"message": ""}, "message", "Write the message"),
        ({"message": "{{ wrong.name }}"}, "message", "wrong is not known"),
        ({"icon": "http://cdn.example.net/i.png"}, "icon", "https://"),
        ({"image": "javascript:alert(1)"}, "image", "not the address of an image"),
        ({"badge": "https://cdn.example.net/{{ user.x }}.png"}, "badge", "personalised"),
        ({"click_url": "https://evil.com/"}, "click_url", "www.example.com"),
        ({"click_url": "{{ user.url }}"}, "click_url", "host out"),
        ({"click_url": "https://www.example.com/{{ user.x | shout }}"}, "click_url", "shout"),
        ({"buttons": (ButtonDraft("Play", "", "https://www.example.com/app"),)}, "buttons.1.url", "leads"),
        ({"buttons": (ButtonDraft("", "https://www.example.com"),)}, "buttons.1.title", "title"),
        ({"buttons": (ButtonDraft("a", "https://www.example.com"),) * 4}, "buttons", "3 buttons"),
        ({"language": "english!"}, "language", "not a language"),
    ],
)
def test_faults_are_named_by_field(brand, push_draft_one, changes, field, words):
    draft = variant(push_draft_one, **changes)
    draft = replace(draft, default_language=draft.variants[0].language)
    found = faults(brand, draft).fields
    assert list(found) == [f"variants.{draft.default_language}.{field}"]
    assert words in found[f"variants.{draft.default_language}.{field}"][0]


def test_a_push_that_nobody_could_receive_is_refused(brand, push_draft_one):
    assert list(faults(brand, replace(push_draft_one, ttl=0)).fields) == ["ttl"]


def test_faults_of_the_whole_are_named_together(brand, push_draft_one):
    draft = replace(push_draft_one, ttl=9_999_999, urgency="now", policy="maybe", default_language="de")
    assert set(faults(brand, draft, name="").fields) == {"name", "ttl", "urgency", "policy", "default_language"}


def test_a_push_that_would_not_fit_is_refused_with_its_longest_field(brand, push_draft_one):
    refusal = faults(brand, variant(push_draft_one, message="😀" * 1000))
    assert refusal.code == "payload_too_large"
    assert "3993 bytes" in refusal.fields["variants.en.message"][0]


def test_personalised_values_count_towards_the_size(brand, push_draft_one):
    many = "{{user.a}}" * 95
    refusal = faults(brand, variant(push_draft_one, message=many))
    assert refusal.code == "payload_too_large"


def test_a_large_push_is_saved_with_a_warning(brand, push_draft_one):
    PropertyDefinition.objects.create(brand=brand, name="first_name", type="text")
    large = variant(push_draft_one, message="é" * 900)
    push_resource_save(brand=brand, name="Bonus", draft=large)
    assert "Firefox on Android" in push_warnings(brand=brand, draft=large)[0]
    assert push_warnings(brand=brand, draft=push_draft_one) == []


def test_languages_are_kept_apart(brand, push_draft_one):
    german = PushVariantDraft(language="de", title="Hallo", message="Dein Bonus wartet.")
    both = replace(push_draft_one, variants=(*push_draft_one.variants, german))
    revision = push_resource_save(brand=brand, name="Bonus", draft=both)
    assert set(push_content(revision)["variants"]) == {"en", "de"}
    assert "variants" in faults(brand, replace(both, variants=(*both.variants, german)), name="Other").fields


def test_a_name_is_used_once_in_a_brand_and_brands_stay_apart(brand, push_draft_one):
    first = push_resource_save(brand=brand, name="Bonus", draft=push_draft_one)
    assert set(faults(brand, push_draft_one).fields) == {"name"}
    other = Brand.objects.create(name="Other", click_hosts=["www.example.com", "a.shop.example.com"])
    push_resource_save(brand=other, name="Bonus", draft=push_draft_one)
    with pytest.raises(PushResource.DoesNotExist):
        push_resource_save(brand=other, name="Stolen", draft=push_draft_one, resource=first.resource)


def test_tags_links_into_apps_and_the_icons_number_travel_with_the_push(brand, push_draft_one):
    button = ButtonDraft("Play", "https://www.example.com/", "shop://play")
    draft = replace(
        variant(push_draft_one, deep_link="shop://bonus/{{ user.external_id }}", buttons=(button,)),
        utm=Utm(source=" smartpush ", campaign="spring"),
        silent=True,
        app_badge=3,
    )
    revision = push_resource_save(brand=brand, name="Bonus", draft=draft)
    content = push_content(revision)
    assert (content["utm"], content["silent"], content["app_badge"]) == (
        {"source": "smartpush", "campaign": "spring"},
        True,
        3,
    )
    english = content["variants"]["en"]
    assert (english["deep_link"], english["buttons"][0]["deep_link"]) == (
        "shop://bonus/{{ user.external_id }}",
        "shop://play",
    )
    assert push_draft(revision) == replace(draft, utm=Utm(source="smartpush", campaign="spring"))


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "intent://x#Intent;end", "http://x.example/",
     "https://evil.com/", "tel:112", "{{ user.link }}", "shop", "shop://a b", "shop://" + "x" * 1000],
)  # fmt: skip
def test_a_link_that_leaves_the_app_is_refused_at_its_field(brand, push_draft_one, link):
    assert list(faults(brand, variant(push_draft_one, deep_link=link)).fields) == ["variants.en.deep_link"]
    button = ButtonDraft("Play", "https://www.example.com/", link)
    refused = faults(brand, variant(push_draft_one, buttons=(button,))).fields
    assert list(refused) == ["variants.en.buttons.1.deep_link"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"utm": Utm(source="x" * 101)}, "utm.source"),
        ({"utm": Utm(term="{{ user.name }}")}, "utm.term"),
        ({"app_badge": -1}, "app_badge"),
        ({"app_badge": 100_000}, "app_badge"),
    ],
)
def test_faults_of_tags_and_number_are_named(brand, push_draft_one, changes, field):
    assert list(faults(brand, replace(push_draft_one, **changes)).fields) == [field]


def test_pictures_and_links_that_a_language_leaves_empty_are_the_default_ones(brand, push_draft_one):
    german = PushVariantDraft(
        language="de", title="Hallo", message="Dein Bonus wartet.", badge="https://b.example/b.png"
    )
    draft = replace(push_draft_one, variants=(*push_draft_one.variants, german))
    variants = push_content(push_resource_save(brand=brand, name="Bonus", draft=draft))["variants"]
    assert variants["de"]["icon"] == variants["en"]["icon"] != ""
    assert variants["de"]["url"] == variants["en"]["url"] != ""
    assert (variants["de"]["badge"], variants["en"]["badge"]) == ("https://b.example/b.png", "")
    assert variants["de"]["buttons"] == []


def test_a_click_address_that_the_database_cannot_keep_is_refused(brand, push_draft_one):
    long = "https://www.example.com/" + "x" * 990
    assert list(faults(brand, variant(push_draft_one, click_url=long)).fields) == ["variants.en.click_url"]


@pytest.mark.parametrize("text", ["half \ud800", "nul \x00"])
@pytest.mark.parametrize("field", ["title", "message", "click_url", "deep_link", "icon"])
def test_what_is_no_text_is_refused(brand, push_draft_one, field, text):
    value = text if field in ("title", "message") else f"https://www.example.com/{text}"
    assert f"variants.en.{field}" in faults(brand, variant(push_draft_one, **{field: value})).fields


def test_utm_tags_and_names_that_are_no_text_are_refused(brand, push_draft_one):
    assert set(faults(brand, replace(push_draft_one, utm=Utm(source="\ud800")), name="\ud800").fields) == {
        "utm.source",
        "name",
    }


NEVER = ["{{ 1 | divided_by: 0 }}", "{% for i in (1..100000000) %}x{% endfor %}"]


@pytest.mark.parametrize("text", [*NEVER, "{% if user.vip %}{{ 1 | divided_by: 0 }}{% endif %}"])
@pytest.mark.parametrize("field", ["title", "message", "click_url", "deep_link"])
def test_liquid_that_never_renders_is_refused_at_its_field(brand, push_draft_one, field, text):
    value = text if field in ("title", "message") else f"https://www.example.com/{text}"
    refused = faults(brand, variant(push_draft_one, **{field: value})).fields
    assert list(refused) == [f"variants.en.{field}"]
    assert "can never be shown" in refused[f"variants.en.{field}"][0]


def test_liquid_that_fails_without_properties_is_refused_and_asking_first_helps(brand, push_draft_one):
    text = "{{ 100 | divided_by: user.points }}"
    refused = faults(brand, variant(push_draft_one, title=text)).fields["variants.en.title"]
    assert "without these properties" in refused[0]
    asked = variant(push_draft_one, title=f"{{% if user.points %}}{text}{{% endif %}}")
    assert push_resource_save(brand=brand, name="Bonus", draft=asked).number == 1


@pytest.mark.parametrize(
    "text",
    [
        "{{ 100 | divided_by: event.amount }}",
        '{{ user.born | date: "%Y" }}',
        "{% for tag in user.tags %}{{ tag }}{% endfor %}",
        '{{ event.items | map: "name" | join: ", " }}',
        "{{ event.address.city }} {{ event.address }}",
        "{{ user.names[0] }}",
    ],
)
def test_liquid_that_renders_for_likely_values_is_saved(brand, push_draft_one, text):
    assert push_resource_save(brand=brand, name="Bonus", draft=variant(push_draft_one, message=text)).number == 1


def test_what_a_push_is_about_is_in_its_revision_and_its_content(brand, push_draft_one):
    category_create(brand=brand, name="News")
    first = push_resource_save(brand=brand, name="Bonus", draft=push_draft_one)
    assert "category" not in push_content(first)
    told = replace(push_draft_one, category=" news ")
    second = push_resource_save(brand=brand, name="Bonus", draft=told, resource=first.resource)
    assert (second.number, second.category, push_content(second)["category"]) == (2, "NEWS", "NEWS")
    assert push_draft(second) == replace(push_draft_one, category="NEWS")


def test_a_push_is_about_a_category_of_its_own_brand(brand, push_draft_one):
    category_create(brand=Brand.objects.create(name="Other"), name="News")
    assert set(faults(brand, replace(push_draft_one, category="NEWS")).fields) == {"category"}


def test_an_archived_category_stays_what_a_push_is_about(brand, push_draft_one):
    category = category_create(brand=brand, name="News")
    told = replace(push_draft_one, category="NEWS")
    first = push_resource_save(brand=brand, name="Bonus", draft=told)
    category_archive(category=category, now=utc_now())
    again = push_resource_save(brand=brand, name="Bonus", draft=variant(told, title="New"), resource=first.resource)
    assert again.category == "NEWS"


def test_a_button_without_an_address_only_closes_which_is_no_fault(brand, push_draft_one):
    draft = variant(push_draft_one, title="Hi", buttons=(ButtonDraft("Not now", ""),))
    revision = push_resource_save(brand=brand, name="Bonus", draft=draft)
    assert push_content(revision)["variants"]["en"]["buttons"] == [
        {"id": "b1", "title": "Not now", "url": "", "deep_link": ""}
    ]
    assert push_warnings(brand=brand, draft=draft) == []
