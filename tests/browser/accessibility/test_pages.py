"""axe-core on every page that a person can open: nothing grave, in light, in dark, on a phone, and with all opened."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import AnonymousUser, Group, User
from django.contrib.auth.tokens import default_token_generator
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from campaigns.models import Campaign
from devices.models import EndUser
from smartpush.backoffice.access.lockout import locked
from smartpush.common.ids import preference_token
from tests.backoffice.walk import model_pages, site_pages
from tests.backoffice.world import NOW, PASSWORD, World, staff, world
from tests.browser.harness.chromium import Chromium

from .axe import ORIGIN, Served, axe_source, opened_problems, problems_on

# Pages of the site that are no documents of their own: they lead on, answer scripts, or want a token (tested below).
LEADS_ON = {"logout", "view_on_site", "jsi18n", "autocomplete", "search", "choose_brand", "set_password"}


@pytest.fixture
def ours(chromium: Chromium, db: None) -> World:
    """A brand with one row of everything; the browser starts first, because Playwright changes the thread's loop."""
    cache.clear()
    made = world(word="OURS")
    made.rows |= {User: User.objects.get(username="OURS-staff"), Group: Group.objects.create(name="OURS group")}
    return made


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def _addresses(ours: World) -> Iterator[tuple[str, str]]:
    for page in model_pages():
        yield page.name, page.url(ours)
    for page in site_pages():
        if page.name not in LEADS_ON:
            given = {"app_label": "devices"} if page.name == "app_list" else {}
            yield page.name, reverse(f"admin:{page.name}", kwargs=given)


def _is_document(response: HttpResponse) -> bool:
    return response.status_code in {200, 409} and response["Content-Type"].startswith("text/html")


def test_no_page_of_the_back_office_keeps_anybody_out(chromium: Chromium, ours: World) -> None:
    user = staff(name="ann", brand=ours.brand)
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    client = _client(User.objects.get(pk=user.pk))
    served = Served(chromium.context, client)
    source = axe_source()
    problems, seen, opened = [], set(), set[str]()
    for name, address in _addresses(ours):
        response = client.get(address, follow=True)
        final = urlsplit(response.redirect_chain[-1][0]).path if response.redirect_chain else address
        if final in seen or not _is_document(response):
            continue  # it leads to another page of the list, or is no page
        seen.add(final)
        served.keep(address, response)
        chromium.page.goto(ORIGIN + address, wait_until="load")
        problems += problems_on(chromium.page, source, where=name)
        problems += opened_problems(chromium.page, opened, where=name)
    assert not problems, "\n".join(problems)
    assert len(seen) > 70
    assert len(opened) > 20, sorted(opened)


def test_pages_that_say_no_keep_nobody_out_either(chromium: Chromium, ours: World) -> None:
    viewer = _client(staff(name="vera", brand=ours.brand, role="viewer"))
    broken = Campaign.objects.create(brand=ours.brand, name="OURS broken", trigger_event="depositt", flow={})
    stranger = RequestFactory().get("/admin/login/")
    stranger.user = AnonymousUser()
    shown = {
        "a page that a viewer may not open": viewer.get(reverse("admin:devices_brand_add"), follow=True),
        "a campaign as a viewer sees it": viewer.get(
            reverse("admin:campaigns_campaign_change", args=[ours.rows[Campaign].pk]), follow=True
        ),
        "a review with problems and warnings": viewer.get(
            reverse("admin:campaigns_campaign_review", args=[broken.pk]), follow=True
        ),
        "a form with errors": _client(staff(name="ed", brand=ours.brand, role="editor")).post(
            reverse("admin:assets_pushresource_add"), {}, follow=True
        ),
        "locked out": locked(stranger),
    }
    _expect_none(chromium, shown)


def test_pages_before_logging_in_keep_nobody_out(chromium: Chromium, ours: World) -> None:
    client = Client()
    user = staff(name="new")
    link = reverse(
        "admin:set_password",
        args=[urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)],
    )
    shown = {
        "log-in": client.get(reverse("admin:login")),
        "log-in that failed": client.post(reverse("admin:login"), {"username": "new", "password": PASSWORD + "!"}),
        "set a password": client.get(link, follow=True),
        "a link that does not work": client.get(reverse("admin:set_password", args=["x", "y-z"])),
    }
    _expect_none(chromium, shown)


def test_the_preference_page_keeps_nobody_out(chromium: Chromium, ours: World) -> None:
    client = Client()
    end_user: EndUser = ours.rows[EndUser]
    open_link = f"/p/{preference_token(end_user.pk, NOW + timedelta(hours=20))}"
    over = f"/p/{preference_token(end_user.pk, NOW - timedelta(hours=1))}"
    shown = {
        "preferences": client.get(open_link, follow=True),
        "preferences in Arabic": client.get(f"{open_link}?lang=ar", follow=True),
        "preferences saved": client.get(f"{open_link}?saved=1", follow=True),
        "a link that is over": client.get(over, follow=True),
        "a wrong link": client.get("/p/nothing", follow=True),
    }
    _expect_none(chromium, shown)


POPUPS: dict[str, dict[str, Any]] = {
    "simple": {"title": "Stay up to date", "text": "Only good news.", "later_label": "Maybe later"},
    "with categories": {
        "title": "Choose",
        "categories": [
            {"marker": "NEWS", "name": "News", "description": "First hand."},
            {"marker": "OFFERS", "name": "Offers", "description": "", "selected": True},
        ],
    },
    "right to left": {"title": "مرحبًا", "language": "ar", "direction": "rtl", "later_label": "لاحقًا"},
    "steps for an iPhone": {"title": "Install", "steps": ["Tap Share", "Add to Home Screen"]},
    "colours of the editor": {
        "title": "Fair",
        "colours": {"background": "#ffffff", "text": "#1f2328", "button": "#4f46e5", "button_text": "#ffffff"},
    },
}
_DRAW = "([content]) => { drawSimple(content, null, {primary() {}, later() {}, close() {}}); }"


@pytest.mark.parametrize("name", POPUPS)
def test_a_popup_on_a_page_keeps_nobody_out(chromium: Chromium, db: None, name: str) -> None:
    Served(chromium.context, Client())
    page = chromium.page
    page.goto(f"{ORIGIN}/static/devices/sdk/simple.js")
    page.set_content(
        "<!doctype html><html lang=en><title>Shop</title><main><h1>Shop</h1></main>"
        f"<script src='{ORIGIN}/static/devices/sdk/simple.js'></script>"
    )
    page.evaluate(_DRAW, [{"subscribe_label": "Subscribe", "close_label": "Close"} | POPUPS[name]])
    page.locator("smartpush-popup h2").wait_for()
    problems = problems_on(page, axe_source(), where=name)
    assert not problems, "\n".join(problems)


def _expect_none(chromium: Chromium, shown: dict[str, HttpResponse]) -> None:
    served = Served(chromium.context, Client())
    source = axe_source()
    problems = []
    for number, (name, response) in enumerate(shown.items()):
        assert response.content and response["Content-Type"].startswith("text/html"), name
        address = f"/shown/{number}"
        served.keep(address, response)
        chromium.page.goto(ORIGIN + address, wait_until="load")
        problems += problems_on(chromium.page, source, where=name)
    assert not problems, "\n".join(problems)
