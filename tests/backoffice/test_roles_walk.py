"""Four roles walk every page that the admin's registry and addresses hold: a page without a rule fails here."""

import pytest
from django.contrib import admin
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse

from devices.admin.base import BrandScopedAdmin
from devices.brands.selectors.staff import Role
from devices.models import ApiKey, Brand
from tests.backoffice.superusers import SUPERUSERS_ONLY
from tests.backoffice.walk import model_pages, site_pages

pytestmark = pytest.mark.django_db

# The role that a page of our own asks for when something is sent to it. What activates or sends is a publisher's.
OUR_PAGES = {
    "devices_apikey_revoke": Role.ADMIN,
    "devices_brand_stop": Role.PUBLISHER,
    "devices_brand_resume": Role.PUBLISHER,
    "devices_brandmembership_link": Role.ADMIN,
    "devices_app_archive": Role.ADMIN,
    "devices_app_check": Role.PUBLISHER,
    "devices_app_remove_key": Role.ADMIN,
    "devices_sendbudget_lift": Role.ADMIN,
    "devices_sendbudget_to_lift": Role.ADMIN,  # a button that leads to the page above
    "devices_pushcategory_move": Role.EDITOR,
    "devices_pushcategory_archive": Role.EDITOR,
    "devices_enduser_send": Role.PUBLISHER,
    "devices_enduser_opt_out": Role.EDITOR,
    "devices_enduser_never_contact": Role.EDITOR,
    "devices_enduser_contact_again": Role.ADMIN,
    "devices_enduser_opt_in": Role.EDITOR,
    "devices_identitykey_revoke": Role.ADMIN,
    "devices_identitykey_observed": Role.VIEWER,
    "segments_segment_catalogue": Role.VIEWER,
    "segments_segment_values": Role.VIEWER,
    "segments_segment_find": Role.VIEWER,
    "segments_segment_count": Role.VIEWER,
    "segments_segment_sample": Role.VIEWER,
    "segments_segment_evaluate": Role.VIEWER,
    "segments_segment_compute": Role.EDITOR,
    "segments_segment_duplicate": Role.EDITOR,
    "segments_segment_new_list": Role.EDITOR,  # a button that leads to the page below
    "segments_segment_list_add": Role.EDITOR,
    "segments_segment_list_columns": Role.EDITOR,
    "segments_segment_list": Role.EDITOR,
    "segments_segment_list_import": Role.EDITOR,
    "segments_segment_list_progress": Role.VIEWER,
    "segments_segment_list_confirm": Role.EDITOR,
    "segments_segment_list_cancel": Role.EDITOR,
    "segments_segment_list_unknown": Role.EDITOR,
    "segments_segment_list_never_contact": Role.EDITOR,
    "segments_segment_export": Role.EDITOR,
    "segments_segment_to_export": Role.EDITOR,  # a button that leads to the page above
    "assets_popupresource_upload": Role.EDITOR,
    "assets_popupresource_preview": Role.VIEWER,
    "assets_popupresource_archive": Role.EDITOR,
    "assets_pushresource_upload": Role.EDITOR,
    "assets_pushresource_preview": Role.VIEWER,
    "assets_pushresource_archive": Role.EDITOR,
    "assets_pushresource_test": Role.PUBLISHER,
    "assets_pushresource_send_test": Role.VIEWER,  # a button that leads to the page above
    "campaigns_campaign_ready": Role.EDITOR,
    "campaigns_campaign_ready_flow": Role.EDITOR,
    "campaigns_campaign_catalogue": Role.VIEWER,
    "campaigns_campaign_review": Role.VIEWER,  # what activating would do, which is the page below
    "campaigns_campaign_activate": Role.PUBLISHER,
    "campaigns_campaign_pause": Role.PUBLISHER,
    "campaigns_campaign_resume": Role.PUBLISHER,
    "campaigns_campaign_disable": Role.PUBLISHER,
    "campaigns_campaign_archive": Role.PUBLISHER,
}
# Pages of the site itself: for all staff, and those for everybody.
FOR_STAFF = {
    "index", "choose_brand", "two_step", "search", "logout", "password_change", "password_change_done",
    "autocomplete", "jsi18n", "view_on_site", "app_list",
}  # fmt: skip
FOR_EVERYBODY = {"login", "set_password"}
READS = {"changelist", "history", "simple_history"}


def _rule(page):
    """The least role that may send something to the page; None: nobody."""
    if page.name in OUR_PAGES:
        return OUR_PAGES[page.name]
    model_admin = admin.site._registry[page.model]
    kind = page.kind
    if kind in READS:
        return model_admin.view_role
    if kind in {"add", "change", "delete"}:
        return getattr(model_admin, f"{kind}_role")
    raise AssertionError(f"{page.name} has no rule: say in OUR_PAGES which role it asks for")


def _nobody(page):
    """What the refusal says where no role may."""
    model_admin = admin.site._registry[page.model]
    return model_admin.deleting.instead if page.kind == "delete" else model_admin.nobody


def _pages():
    return [page for page in model_pages() if page.model not in SUPERUSERS_ONLY]


def _ask(client, method, url):
    """Ask, and undo what it did."""
    with transaction.atomic():
        response = getattr(client, method)(url, {"post": "yes"} if method == "post" else {})
        transaction.set_rollback(True)
    return response


def test_every_page_has_a_rule():
    for page in _pages():
        _rule(page)
    assert {page.name for page in site_pages()} == FOR_STAFF | FOR_EVERYBODY
    assert len(_pages()) > 80


@pytest.mark.parametrize("role", Role.values)
def test_each_page_refuses_who_lacks_its_right_and_says_which_right_that_is(ours, client_of, role):
    client = client_of(ours.brand, role)
    rank = list(Role.values)
    problems, refused, allowed = [], 0, 0
    for page in _pages():
        rule = _rule(page)
        response = _ask(client, "get" if page.kind in READS else "post", page.url(ours))
        if rule is None or rank.index(role) < rank.index(rule):
            refused += 1
            if rule is None and response.status_code == 404:
                continue  # there is no such page at all
            said = _nobody(page) if rule is None else f"need the role {rule.capitalize()} "
            if response.status_code != 403 or said not in " ".join(response.content.decode().split()):
                problems.append(f"{page.name} does not refuse with {said!r}: {response.status_code}")
        else:
            allowed += 1
            if response.status_code not in {200, 302, 400, 405, 409}:
                problems.append(f"{page.name} refuses: {response.status_code}")
    assert not problems
    assert refused > 15
    assert allowed > 15


@pytest.mark.parametrize("role", Role.values)
def test_reading_a_page_of_ones_own_brand_fails_for_nobody_with_the_right(ours, client_of, role):
    client = client_of(ours.brand, role)
    rank = list(Role.values)
    problems = []
    for page in _pages():
        status = _ask(client, "get", page.url(ours)).status_code
        sees = admin.site._registry[page.model].view_role
        expected = 200 if rank.index(role) >= rank.index(sees) else 403
        if status >= 500 or (page.kind in {"changelist", "change", "history"} and status != expected):
            problems.append(f"{page.name}: {status}")
    assert not problems


def test_accounts_are_for_superusers_and_the_refusal_says_so(ours, client_of):
    client = client_of(ours.brand)
    for name in ("auth_user_changelist", "auth_user_add", "auth_group_changelist", "auth_group_add"):
        for method in ("get", "post"):
            refusal = getattr(client, method)(reverse(f"admin:{name}"))
            assert refusal.status_code == 403
            assert "for superusers" in refusal.content.decode()


def test_nobody_outside_opens_anything_but_the_way_in(ours):
    client = Client()
    for page in _pages():
        for method in ("get", "post"):
            response = _ask(client, method, page.url(ours))
            assert response.status_code == 302, page.name
            assert response.url.startswith(reverse("admin:login")), page.name


def test_no_page_does_anything_in_another_brand(ours, theirs, client_of):
    client = client_of(ours.brand)
    for page in _pages():
        if "object_id" not in str(page.pattern.pattern) and "history" not in str(page.pattern.pattern):
            continue
        for method in ("get", "post"):
            response = _ask(client, method, page.url(theirs))
            assert response.status_code in {302, 403, 404, 405}, (page.name, method, response.status_code)
            assert theirs.word not in response.content.decode(), page.name


def test_every_registered_page_belongs_to_a_brand_or_to_superusers():
    for model, model_admin in admin.site._registry.items():
        assert model in SUPERUSERS_ONLY or isinstance(model_admin, BrandScopedAdmin), model


def _endpoints():
    """Every address of the two API surfaces."""
    found = []

    def collect(patterns, prefix):
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                collect(pattern.url_patterns, route)
            elif route.startswith("api/v1/"):
                found.append(route)

    collect(get_resolver().url_patterns, "")
    return found


def test_no_endpoint_of_the_api_answers_without_a_key(ours):
    client = Client()
    tried = 0
    for route in _endpoints():
        if route.endswith("sdk/reports"):  # known by the token of its delivery instead
            continue
        url = "/" + "".join("1" if part.endswith(">") else part for part in _parts(route))
        for method in ("get", "post", "patch", "put", "delete"):
            body = {} if method == "get" else {"data": "{}", "content_type": "application/json"}
            response = getattr(client, method)(url, **body)
            assert response.status_code in {401, 403, 404, 405}, (method, url, response.status_code)
        tried += 1
    assert tried > 10


def _parts(route):
    parts, word = [], ""
    for letter in route:
        if letter == "<":
            parts.append(word)
            word = ""
        word += letter
        if letter == ">":
            parts.append(word)
            word = ""
    return [*parts, word]


def test_the_world_has_a_row_of_every_model_with_pages(ours):
    for model in admin.site._registry:
        assert model in SUPERUSERS_ONLY or model in ours.rows, f"{model} is not in tests/backoffice/world.py"
    assert ours.rows[Brand] == ours.brand
    assert ours.rows[ApiKey].brand == ours.brand
