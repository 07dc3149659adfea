"""The page of a segment that others use: rules change after a page that names them, and what is wrong is said there."""

import json

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from campaigns.models import Campaign
from campaigns.services.publish import campaign_publish
from devices.models import Brand, BrandMembership
from segments.models import Segment
from segments.services import segment_save
from tests.campaigns.world import NOW, flow_of, stop

pytestmark = pytest.mark.django_db
ASK = {"version": 1, "rule": {"all": [{"field": "push_status_last_session", "operator": "is", "value": "ask"}]}}
VIP = {"version": 1, "rule": {"all": [{"field": "js_markers", "operator": "has", "value": "VIP"}]}}


@pytest.fixture
def brand(db):
    return Brand.objects.create(name="Shop")


@pytest.fixture
def editor(client, brand):
    staff = User.objects.create_user("ann", is_staff=True)
    BrandMembership.objects.create(brand=brand, user=staff, role="editor")
    client.force_login(staff)
    return client


@pytest.fixture
def vip(brand):
    return segment_save(brand=brand, name="VIPs", rules=VIP)


def page(segment):
    return reverse("admin:segments_segment_change", args=[segment.pk])


def form(segment, rules, **changes):
    return {"name": segment.name, "description": "", "rules": json.dumps(rules), "_continue": "1", **changes}


def stored(segment):
    segment.refresh_from_db()
    return segment.rules


def campaign(brand, **fields):
    made = Campaign.objects.create(brand=brand, name="Welcome", flow=flow_of(stop("a1")), **fields)
    campaign_publish(campaign=made, by=None, now=NOW)
    return made


def names(segment):
    return {"version": 1, "rule": {"all": [{"field": "segment", "operator": "in", "value": segment.pk}]}}


def test_a_segment_that_nothing_uses_changes_at_once(editor, vip):
    assert editor.post(page(vip), form(vip, ASK)).status_code == 302
    assert stored(vip) == ASK


def test_rules_that_others_use_change_after_a_page_that_names_them(editor, brand, vip):
    made = campaign(brand, segment=vip)
    segment_save(brand=brand, name="Second", rules=names(vip))
    asked = editor.post(page(vip), form(vip, ASK))
    text = asked.content.decode()
    assert asked.status_code == 200
    assert stored(vip) == VIP
    assert reverse("admin:campaigns_campaign_change", args=[made.pk]) in text
    assert "publish it again" in text
    assert "Second" in text
    sent_again = dict(asked.context["kept"]) | {asked.context["confirmed"]: "1"}
    assert editor.post(page(vip), sent_again).url == page(vip)  # Save and continue goes on as asked
    assert stored(vip) == ASK
    assert (
        "The audience has changed since"
        in editor.get(reverse("admin:campaigns_campaign_change", args=[made.pk])).content.decode()
    )


def confirmed(asked):
    return dict(asked.context["kept"]) | {asked.context["confirmed"]: "1"}


def test_what_began_to_use_it_after_the_question_is_asked_about_too(editor, brand, vip):
    campaign(brand, segment=vip)
    asked = editor.post(page(vip), form(vip, ASK))
    segment_save(brand=brand, name="Newcomer", rules=names(vip))
    again = editor.post(page(vip), confirmed(asked))
    assert again.status_code == 200
    assert "Nothing was changed yet" in again.content.decode()
    assert "Newcomer" in again.content.decode()
    assert stored(vip) == VIP
    assert editor.post(page(vip), confirmed(again)).status_code == 302
    assert stored(vip) == ASK


def test_rules_that_a_colleague_saved_after_the_question_are_not_replaced_unseen(editor, brand, vip):
    campaign(brand, segment=vip)
    asked = editor.post(page(vip), form(vip, ASK))
    theirs = {"version": 1, "rule": {"all": [{"field": "js_markers", "operator": "has", "value": "GOLD"}]}}
    segment_save(brand=brand, name=vip.name, rules=theirs, segment=vip)
    assert editor.post(page(vip), confirmed(asked)).status_code == 200
    assert stored(vip) == theirs


def test_an_answer_to_no_question_is_asked(editor, brand, vip):
    campaign(brand, segment=vip)
    assert editor.post(page(vip), form(vip, ASK) | {"_uses_confirmed": "1"}).status_code == 200
    assert stored(vip) == VIP


def test_a_campaign_that_watches_it_is_told_of_differently(editor, brand, vip):
    campaign(brand, trigger_kind="segment_entered", trigger_segment=vip)
    text = editor.post(page(vip), form(vip, ASK)).content.decode()
    assert "follow the new rules at once" in text
    assert "publish it again" not in text


def test_a_new_name_or_the_same_rules_ask_nothing(editor, brand, vip):
    campaign(brand, segment=vip)
    assert editor.post(page(vip), form(vip, VIP, name="Very important")).status_code == 302
    vip.refresh_from_db()
    assert vip.name == "Very important"


def test_a_circle_and_what_the_brand_does_not_have_are_refused_beside_the_rules(editor, brand, vip):
    second = segment_save(brand=brand, name="Second", rules=names(vip))
    theirs = segment_save(brand=Brand.objects.create(name="Other"), name="Theirs", rules=VIP)
    for rules, words in (
        (names(second), "VIPs -&gt; Second -&gt; VIPs"),
        (names(theirs), "does not have this segment"),
    ):
        answer = editor.post(page(vip), form(vip, rules))
        assert answer.status_code == 200
        assert answer.context["adminform"].form.errors["rules"]
        assert words in answer.content.decode()
    assert stored(vip) == VIP
    new = {"name": "New", "description": "", "rules": json.dumps(names(theirs))}
    assert editor.post(reverse("admin:segments_segment_add"), new).context["adminform"].form.errors["rules"]
    assert not Segment.objects.filter(name="New").exists()


@pytest.mark.parametrize("role", ["viewer", None])
def test_who_may_not_change_it_is_told_nothing_of_its_uses(client, brand, vip, role):
    campaign(brand, segment=vip)
    staff = User.objects.create_user("bob", is_staff=True)
    other = Brand.objects.create(name="Other")
    BrandMembership.objects.create(brand=brand if role else other, user=staff, role=role or "admin")
    client.force_login(staff)
    answer = client.post(page(vip), form(vip, ASK) | {"_uses_confirmed": "1"})
    assert b"Welcome" not in client.post(page(vip), form(vip, ASK)).content
    assert answer.status_code in (302, 403, 404)
    assert stored(vip) == VIP
