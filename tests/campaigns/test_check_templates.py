"""`manage.py check_templates`: texts that are in use and over the limits, with where to fix them."""

import io
import json

import pytest
from django.core.management import call_command

from assets.models import PopupVariant, PushVariant
from assets.services import (
    ButtonDraft,
    PopupDraft,
    PopupVariantDraft,
    PushDraft,
    PushVariantDraft,
    popup_resource_save,
    push_content,
    push_resource_save,
)
from campaigns.models import Campaign, VersionStep
from tests.campaigns.world import flow_of, push, stop, version_of

BOMB = "{% assign a = 9999999999 %}{% for i in (1..13) %}{% assign a = a | times: a %}{% endfor %}{{ a }}"
HIDDEN = "{% if user.city == 'Nowhere' %}" + BOMB + "{% endif %}"


def check() -> tuple[int, list[dict]]:
    """The exit code, and what was found."""
    out = io.StringIO()
    try:
        call_command("check_templates", "--json", stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def saved_push(world, *, title: str = "Hi", name: str = "Sale"):
    url = "https://shop.example/"
    variants = tuple(
        PushVariantDraft(language, title, "Text", click_url=url, buttons=(ButtonDraft("Open", url),))
        for language in ("de", "en")
    )
    return push_resource_save(brand=world.brand, name=name, draft=PushDraft(variants=variants))


def past_the_checks(revision, language: str, **texts) -> None:
    PushVariant.objects.filter(revision=revision, language=language).update(**texts)


def test_nothing_is_found_where_all_is_well(world):
    saved_push(world)
    popup_resource_save(brand=world.brand, name="Ask", draft=PopupDraft((PopupVariantDraft("en", "Stay?"),)))
    assert check() == (0, [])


@pytest.mark.parametrize(
    ("field", "shown"),
    [("title", "title"), ("message", "message"), ("click_url", "click_url"), ("deep_link", "deep_link")],
)
@pytest.mark.parametrize("text", [BOMB, HIDDEN, "{{ user.a | shout }}", "{% if user.a %}", "{{ 1 | divided_by: 0 }}"])
def test_each_text_of_each_language_is_checked(world, field, shown, text):
    revision = saved_push(world)
    past_the_checks(revision, "de", **{field: text})
    code, (found,) = check()
    assert code == 1
    assert (found["kind"], found["name"], found["brand"]) == ("push", "Sale", "Shop")
    assert (found["revision"], found["language"], found["field"]) == (1, "de", shown)
    assert f"/admin/assets/pushresource/{revision.resource_id}/change/?language=de" in found["mend"]


@pytest.mark.parametrize("field", ["title", "url", "deep_link"])
def test_buttons_are_checked(world, field):
    revision = saved_push(world)
    past_the_checks(revision, "en", buttons=[{"id": "b1", "title": "Open", "url": "", field: HIDDEN}])
    code, (found,) = check()
    assert (code, found["field"]) == (1, f"button 1 {field}")


@pytest.mark.parametrize("field", ["title", "text", "subscribe_label", "later_label", "close_label"])
def test_popups_show_liquid_as_it_stands_and_that_is_listed(world, field):
    revision = popup_resource_save(brand=world.brand, name="Ask", draft=PopupDraft((PopupVariantDraft("en", "Stay?"),)))
    PopupVariant.objects.filter(revision=revision).update(**{field: "{{ user.a }}"})
    code, (found,) = check()
    assert (code, found["kind"], found["field"]) == (1, "popup", field)


def test_a_revision_that_was_replaced_is_listed_only_while_a_campaign_uses_it(world):
    old = saved_push(world)
    draft = PushDraft(variants=(PushVariantDraft("en", "Better", "Text"),))
    push_resource_save(brand=world.brand, name="Sale", draft=draft, resource=old.resource)
    past_the_checks(old, "en", title=HIDDEN)
    assert check() == (0, [])
    campaign = world.campaign(flow_of(push("a", "end"), stop("end")), name="Welcome")
    version = version_of(campaign)
    VersionStep.objects.filter(version=version, kind="push").update(content=push_content(old))
    Campaign.objects.filter(pk=campaign.pk).update(current_version=version, state="active")
    code, (found,) = check()
    assert (code, found["revision"], found["campaigns"]) == (1, 1, ["Welcome"])
    assert "Welcome" in found["mend"]
    Campaign.objects.filter(pk=campaign.pk).update(state="disabled")
    assert check() == (0, [])


def test_the_report_is_for_people_without_json(world, capsys):
    past_the_checks(saved_push(world), "en", title=BOMB)
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("check_templates", stdout=out)
    assert "BAD  push 'Sale' of Shop, revision 1, en, title: Line 1" in out.getvalue()
    assert "1 revision checked, 1 text to fix." in out.getvalue()
