"""Every page of the back office, by somebody who works for two brands and has a tab open of each."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.urls import reverse

from devices.models import Brand
from tests.backoffice.brand_tabs import FIELD, Seen, choose, inside, joins
from tests.backoffice.walk import model_pages

pytestmark = pytest.mark.django_db
SUPERUSERS_ONLY = {User, Group}
# Buttons that lead to a page which asks: they change nothing and read no object.
LEADS = {"assets_pushresource_send_test", "segments_segment_to_export", "segments_segment_new_list"}


def _pages():
    return [page for page in model_pages() if page.model not in SUPERUSERS_ONLY]


def _of_object(page):
    route = str(page.pattern.pattern)
    return "object_id" in route or "history" in route


def _post(client, url, data):
    """Send it, and undo what it did."""
    with transaction.atomic():
        response = client.post(url, data)
        transaction.set_rollback(True)
    return response


@pytest.fixture
def member(ours, theirs, client_of):
    """A member of staff of both brands, who chose `theirs` last."""
    client = client_of(ours.brand)
    joins("ann", theirs.brand)
    choose(client, theirs.brand)
    return client


@pytest.fixture
def superuser(ours, theirs, client_of):
    client = client_of(superuser=True, name="root")
    choose(client, theirs.brand)
    return client


@pytest.fixture(params=["member", "superuser"])
def client(request):
    return request.getfixturevalue(request.param)


def test_a_form_without_an_object_is_refused_wherever_another_brand_was_chosen_since(ours, theirs, client):
    problems, tried = [], 0
    for page in _pages():
        if _of_object(page) or page.model is Brand:
            continue
        plain = page.url(ours)
        mine, others = {FIELD: ours.brand.pk, "name": "x"}, {FIELD: theirs.brand.pk, "name": "x"}
        expected = [
            (plain, mine, True),
            (plain, {"name": "x"}, True),
            (plain, {FIELD: "", "name": "x"}, True),
            (plain, others, False),
            (inside(ours.brand, plain), mine, False),
            (inside(ours.brand, plain), others, True),
            (inside(ours.brand, plain), {FIELD: [ours.brand.pk, theirs.brand.pk]}, True),
        ]
        for url, data, refused in expected:
            response = _post(client, url, data)
            if (response.status_code == 409) != refused or response.status_code >= 500:
                problems.append(f"{page.name} at {url} with {data}: {response.status_code}")
            if refused and "Nothing was saved" not in response.content.decode():
                problems.append(f"{page.name} does not say that nothing was saved")
            tried += 1
    assert not problems
    assert tried > 7 * 40


def test_a_form_of_an_object_is_refused_when_it_was_made_for_another_brand(ours, theirs, client):
    problems, tried = [], 0
    for page in _pages():
        if not _of_object(page) or page.name in LEADS or page.kind in {"history", "simple_history"}:
            continue
        plain = page.url(ours)
        for url in (plain, inside(ours.brand, plain), inside(theirs.brand, plain)):
            refused = _post(client, url, {FIELD: theirs.brand.pk, "post": "yes"})
            if refused.status_code != 409 or "Nothing was saved" not in refused.content.decode():
                problems.append(f"{page.name} takes a form of another brand at {url}: {refused.status_code}")
            taken = _post(client, url, {FIELD: ours.brand.pk, "post": "yes"})
            if taken.status_code == 409 and "belongs to" in taken.content.decode():
                problems.append(f"{page.name} refuses its own form at {url}")
            tried += 1
    assert not problems
    assert tried > 3 * 40


def test_every_form_carries_the_brand_of_its_page_and_every_link_stays_in_it(ours, theirs, member):
    problems, forms, links = [], 0, 0
    for page in _pages():
        plain = page.url(ours)
        shown_at = {plain: ours.brand if _of_object(page) else theirs.brand, inside(ours.brand, plain): ours.brand}
        for url, brand in shown_at.items():
            response = member.get(url)
            if response.status_code != 200 or "text/html" not in response["Content-Type"]:
                continue
            seen = Seen(response)
            for form in seen.forms:
                if form.get(FIELD) != [str(brand.pk)]:
                    problems.append(f"{url} has a form with the brand {form.get(FIELD)}")
            stray = [one for one in seen.addresses if not one.startswith(f"/admin/in/{brand.pk}/")]
            if stray:
                problems.append(f"{url} leads to {stray}")
            if seen.addresses and (seen.brand is None or seen.brand[1] != str(brand.pk)):
                problems.append(f"{url} does not say whose page it is")
            forms, links = forms + len(seen.forms), links + len(seen.addresses)
    assert not problems
    assert forms > 150
    assert links > 2000


def test_looking_at_pages_switches_no_other_tab(ours, theirs, member):
    people = reverse("admin:devices_enduser_changelist")
    before = dict(member.session)
    for page in _pages():
        for url in (page.url(ours), inside(ours.brand, page.url(ours))):
            member.get(url)
            assert dict(member.session).get("brand") == before["brand"] == theirs.brand.pk, url
    shown = member.get(people).content.decode()
    assert f"{theirs.word}-user" in shown
    assert f"{ours.word}-user" not in shown


def test_staff_of_one_brand_see_no_brand_in_their_addresses(ours, client_of):
    client = client_of(ours.brand)
    for page in _pages():
        response = client.get(page.url(ours))
        assert b"/admin/in/" not in response.content, page.name
        if not _of_object(page):
            assert _post(client, page.url(ours), {"name": "x"}).status_code != 409, page.name


def test_the_walk_sees_each_page_that_writes():
    assert admin.site._registry.keys() - SUPERUSERS_ONLY == {page.model for page in _pages()}
