"""The segment pages: rules travel from the editor to the database, and stay inside the brand."""

import json

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from devices.models import BrandMembership
from segments.models import Segment
from segments.services import segment_save
from tests.segments.population import populate

pytestmark = pytest.mark.django_db
ASK = {"version": 1, "rule": {"all": [{"field": "push_status_last_session", "operator": "is", "value": "ask"}]}}


@pytest.fixture
def brand():
    return populate(seed=21, end_users=20)


@pytest.fixture
def editor(client, brand):
    staff = User.objects.create_user("ann", is_staff=True)
    BrandMembership.objects.create(brand=brand, user=staff, role="editor")
    client.force_login(staff)
    return client


def test_the_form_saves_what_the_editor_sends(editor, brand):
    data = {"name": "Ask", "description": "d", "rules": json.dumps(ASK)}
    assert editor.post(reverse("admin:segments_segment_add"), data).status_code == 302
    segment = Segment.objects.get()
    assert (segment.brand, segment.rules, segment.created_by.username) == (brand, ASK, "ann")
    page = reverse("admin:segments_segment_change", args=[segment.pk])
    assert b"data-segment-builder" in editor.get(page).content
    editor.post(page, {**data, "name": "Asked"})
    segment.refresh_from_db()
    assert (Segment.objects.count(), segment.name) == (1, "Asked")
    assert b"Asked" in editor.get(reverse("admin:segments_segment_changelist")).content


HALF_A_PAIR = json.dumps({"version": 1, "rule": {"all": [{"field": "language", "operator": "is", "value": "\ud800"}]}})


THOUSANDS_OF_DIGITS = '{"version": 1, "rule": ' + "9" * 6_000 + "}"


@pytest.mark.parametrize(
    "rules",
    ["", "{", "{}", '{"version": 1, "rule": {"any": []}}', "[" * 20_000, HALF_A_PAIR, THOUSANDS_OF_DIGITS],
    ids=["nothing", "half", "no version", "empty", "deep", "half a character", "thousands of digits"],
)
def test_bad_rules_are_refused_beside_the_editor(editor, rules):
    answer = editor.post(reverse("admin:segments_segment_add"), {"name": "Ask", "rules": rules})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["rules"]
    assert not Segment.objects.exists()


def test_a_taken_name_is_refused_at_the_name(editor, brand):
    segment_save(brand=brand, name="Ask", rules=ASK)
    answer = editor.post(reverse("admin:segments_segment_add"), {"name": "Ask", "rules": json.dumps(ASK)})
    assert "name" in answer.context["adminform"].form.errors


def test_strangers_to_the_brand_see_nothing(client, brand):
    segment = segment_save(brand=brand, name="Ask", rules=ASK)
    other = populate(seed=23, end_users=3, name="Other")
    staff = User.objects.create_user("bob", is_staff=True)
    BrandMembership.objects.create(brand=other, user=staff, role="admin")
    client.force_login(staff)
    assert client.get(reverse("admin:segments_segment_change", args=[segment.pk])).status_code == 302
    assert b"Ask" not in client.get(reverse("admin:segments_segment_changelist")).content


def test_viewers_read_and_do_not_write(client, brand):
    staff = User.objects.create_user("vic", is_staff=True)
    BrandMembership.objects.create(brand=brand, user=staff, role="viewer")
    client.force_login(staff)
    assert (
        client.post(reverse("admin:segments_segment_add"), {"name": "x", "rules": json.dumps(ASK)}).status_code == 403
    )
    segment = segment_save(brand=brand, name="Ask", rules=ASK)
    page = client.get(reverse("admin:segments_segment_change", args=[segment.pk])).content.decode()
    assert "push_status_last_session" in page
    assert "data-readonly" in page
    assert "_save" not in page
