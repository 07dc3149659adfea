"""The service worker: shows what is ours, leaves the rest alone, reports what happened."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.harness.chromium import Chromium
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.sites import Site

from .conftest import eventually, run, told
from .fake_api import FakeApi

SCOPE = "/push/"


def message(api: FakeApi, **fields: Any) -> str:
    payload = {
        "v": 1,
        "id": "de_1",
        "title": "Your spins are here",
        "body": "Ten of them",
        "tag": "topic-1",
        "url": "https://shop.example/",
        "report": {"url": f"{api.host}/api/v1/sdk/reports", "token": "secret-token"},
        **fields,
    }
    return json.dumps({"smartpush": payload})


Deliver = Callable[[str], None]


@pytest.fixture
def deliver(chromium: Chromium, api: FakeApi, shop: Site, allow: Callable[[], None]) -> Deliver:
    """A page of the shop with its worker, ready to take pushes."""
    allow()  # a granted page subscribes by itself, and Chromium's own attempt without a network takes 20 s to fail
    chromium.set_permission(shop.origin, "granted")
    chromium.page.goto(shop.url())
    eventually(chromium.page, lambda: run(chromium.page, "'getStatus'").get("endUser"), what="the session")
    return lambda data: chromium.deliver_push(chromium.page, data, scope=SCOPE)


def reports(chromium: Chromium, api: FakeApi, count: int) -> list[tuple[str, str]]:
    """Kind and button of the reports, once there are so many."""
    eventually(chromium.page, lambda: len(api.reports) >= count, what=f"{count} reports")
    assert {report["token"] for report in api.reports} == {"secret-token"}
    return [(report["kind"], report["action"]) for report in api.reports]


def test_a_push_is_shown_with_all_its_fields_and_reported(
    chromium: Chromium, api: FakeApi, shop: Site, desktop: Desktop, deliver: Deliver
):
    actions = [{"action": "b1", "title": "Play", "url": shop.url("/other")}]
    deliver(message(api, actions=actions, icon=shop.url("/wide.svg"), lang="en", dir="ltr", require_interaction=True))
    shown = desktop.wait_notification()
    assert shown.summary == "Your spins are here" and "Ten of them" in shown.body
    (seen,) = chromium.notifications(chromium.page)
    assert (seen["tag"], seen["renotify"], seen["requireInteraction"]) == ("topic-1", False, True)
    assert seen["icon"] == shop.url("/wide.svg")
    assert [(one["action"], one["title"]) for one in seen["actions"]] == [("b1", "Play")]
    assert reports(chromium, api, 1) == [("displayed", "")]
    eventually(chromium.page, lambda: told(chromium.page, "push"), what="the page's event")
    (push,) = told(chromium.page, "push")
    assert (push["id"], push["title"]) == ("de_1", "Your spins are here") and "report" not in push


def test_a_quiet_push_makes_no_sound_and_sets_the_number_on_the_icon(
    chromium: Chromium, api: FakeApi, desktop: Desktop, deliver: Deliver
):
    worker = chromium.service_worker(url_part="smartpush-sw")
    worker.evaluate("self.counted = []; navigator.setAppBadge = async (number) => { counted.push(number); }; 0")
    deliver(message(api, silent=True, app_badge=3))
    desktop.wait_notification()
    eventually(chromium.page, lambda: worker.evaluate("counted") == [3], what="the number")
    silent = "self.registration.getNotifications().then((all) => all.map((one) => one.silent))"
    assert worker.evaluate(silent) == [True]


def test_a_declarative_push_that_the_browser_shows_is_reported(chromium: Chromium, api: FakeApi, deliver: Deliver):
    """Safari hands its worker the notification that it proposes; no browser here does, so the event is made up."""
    worker = chromium.service_worker(url_part="smartpush-sw")
    data = {"smartpush": {"id": "de_1", "report": json.loads(message(api))["smartpush"]["report"]}}
    worker.evaluate(
        """(data) => {
          const event = new ExtendableEvent('push');
          Object.assign(event, {data: null, notification: {title: 'Ours', data}});
          self.dispatchEvent(event);
        }""",
        data,
    )
    assert reports(chromium, api, 1) == [("displayed", "")]


def test_the_same_message_again_replaces_the_first(
    chromium: Chromium, api: FakeApi, desktop: Desktop, deliver: Deliver
):
    deliver(message(api))
    desktop.wait_notification()
    deliver(message(api, body="Twenty"))
    desktop.wait_notification(predicate=lambda one: "Twenty" in one.body)
    assert [one["body"] for one in chromium.notifications(chromium.page)] == ["Twenty"]


@pytest.mark.parametrize("data", ['{"notification": {"title": "Theirs"}}', "plain text", "[1]", "null", '"smartpush"'])
def test_a_foreign_push_is_left_alone(
    chromium: Chromium, api: FakeApi, shop: Site, desktop: Desktop, deliver: Deliver, data: str
):
    worker = chromium.service_worker(url_part="smartpush-sw")
    worker.evaluate("self.theirs = []; self.addEventListener('push', (event) => theirs.push(event.data.text()))")
    deliver(data)
    eventually(chromium.page, lambda: worker.evaluate("theirs") == [data], what="their handler")
    deliver(message(api, title="Ours"))
    desktop.wait_notification(predicate=lambda one: one.summary == "Ours")
    assert [one.summary for one in desktop.history] == ["Ours"]
    # Ours does not reach the other handler, which might show it a second time.
    assert worker.evaluate("theirs") == [data]


@pytest.mark.parametrize(
    "data",
    [
        '{"smartpush": {"title": "cut o',
        '{"smartpush": null}',
        '{"smartpush": {}}',
        '{"smartpush": {"title": 5, "actions": "x", "report": {"url": "javascript:1", "token": 7}}}',
        '{"smartpush": {"title": "", "actions": [null]}}',
    ],
)
def test_ours_but_unreadable_shows_a_neutral_notification(api: FakeApi, desktop: Desktop, deliver: Deliver, data: str):
    deliver(data)
    assert desktop.wait_notification().summary == "127.0.0.1"
    assert api.reports == []


def test_a_click_opens_its_address_and_is_reported(
    chromium: Chromium, api: FakeApi, shop: Site, desktop: Desktop, deliver: Deliver
):
    deliver(message(api, url=shop.url("/plain?from=push")))
    shown = desktop.wait_notification()
    reports(chromium, api, 1)
    desktop.click(shown)
    chromium.wait_page(shop.url("/plain?from=push"))
    assert reports(chromium, api, 2) == [("displayed", ""), ("clicked", "")]


def test_a_button_opens_its_own_address(
    chromium: Chromium, api: FakeApi, shop: Site, desktop: Desktop, deliver: Deliver
):
    actions = [
        {"action": "b1", "title": "A", "url": shop.url("/plain?a")},
        {"action": "b2", "title": "B", "url": shop.url("/plain?b")},
    ]
    deliver(message(api, url=shop.url("/"), actions=actions))
    shown = desktop.wait_notification()
    key = next(key for key, label in shown.actions.items() if label == "B")
    reports(chromium, api, 1)
    desktop.click(shown, key)
    chromium.wait_page(shop.url("/plain?b"))
    assert reports(chromium, api, 2)[1] == ("clicked", "b2")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "http://elsewhere.example/", "https://evil.example/", ""])
def test_an_address_outside_the_brands_hosts_leads_to_the_site_itself(
    chromium: Chromium, api: FakeApi, shop: Site, desktop: Desktop, allow: Callable[[], None], url: str
):
    allow()
    api.click_hosts = ["*.shop.example"]
    chromium.set_permission(shop.origin, "granted")
    chromium.page.goto(shop.url("/other"))
    eventually(chromium.page, lambda: run(chromium.page, "'getStatus'").get("endUser"), what="the session")
    chromium.deliver_push(chromium.page, message(api, url=url), scope=SCOPE)
    desktop.click(desktop.wait_notification())
    chromium.wait_page(shop.url("/"))


def test_a_page_that_shows_the_address_already_is_brought_forward(
    chromium: Chromium, api: FakeApi, shop: Site, desktop: Desktop, deliver: Deliver
):
    chromium.page.evaluate("window.same = true")
    deliver(message(api, url=shop.url("/")))
    desktop.click(desktop.wait_notification())
    eventually(chromium.page, lambda: told(chromium.page, "click"), what="the click event")
    assert told(chromium.page, "click")[0]["url"] == shop.url("/")
    assert len(chromium.context.pages) == 1 and chromium.page.evaluate("window.same")


def test_a_single_page_application_routes_the_click_in_its_open_page(
    chromium: Chromium, api: FakeApi, shop: Site, desktop: Desktop, deliver: Deliver
):
    chromium.page.evaluate(
        "smartpush('on', 'click', (click) => { window.routed = click.url; click.preventDefault(); })"
    )
    # However long the page takes to answer: the worker's patience with it is not what is tested here.
    chromium.service_worker(url_part="smartpush-sw").evaluate("self.setTimeout = () => 0")
    deliver(message(api, url=shop.url("/plain")))
    desktop.click(desktop.wait_notification())
    eventually(chromium.page, lambda: chromium.page.evaluate("window.routed"), what="the route")
    eventually(chromium.page, lambda: len(api.reports) == 2, what="the report")
    assert len(chromium.context.pages) == 1 and chromium.page.url == shop.url("/")


def test_a_closed_notification_is_reported(chromium: Chromium, api: FakeApi, desktop: Desktop, deliver: Deliver):
    deliver(message(api))
    shown = desktop.wait_notification()
    reports(chromium, api, 1)
    desktop.dismiss(shown)
    assert reports(chromium, api, 2) == [("displayed", ""), ("closed", "")]


def test_a_button_without_an_address_only_closes(
    chromium: Chromium, api: FakeApi, shop: Site, desktop: Desktop, deliver: Deliver
):
    buttons = [
        {"action": "b1", "title": "Play", "url": shop.url("/plain")},
        {"action": "b2", "title": "Not now", "url": ""},
    ]
    deliver(message(api, url=shop.url("/plain"), actions=buttons))
    shown = desktop.wait_notification()
    reports(chromium, api, 1)
    desktop.click(shown, "Not now")
    assert reports(chromium, api, 2) == [("displayed", ""), ("closed", "b2")]
    assert len(chromium.context.pages) == 1


def test_a_report_that_could_not_be_sent_goes_with_the_next_at_the_latest_and_once(
    chromium: Chromium, api: FakeApi, desktop: Desktop, deliver: Deliver
):
    api.fail("reports", 503, "server_busy", times=1)
    deliver(message(api))
    desktop.wait_notification()
    eventually(chromium.page, lambda: [call for call in api.calls if call.status == 503], what="the failure")
    # From here on the browser's background sync may send it at any moment; the next push does so at the latest.
    deliver(message(api, body="Second", tag="topic-2"))
    assert reports(chromium, api, 2) == [("displayed", ""), ("displayed", "")]
    assert len({report["at"] for report in api.reports}) == 2


def test_reports_go_to_this_installations_server_only(
    chromium: Chromium, api: FakeApi, desktop: Desktop, deliver: Deliver
):
    other = FakeApi()
    deliver(message(other))
    desktop.wait_notification()
    deliver(message(api, tag="topic-2"))
    reports(chromium, api, 1)
    assert other.calls == []
    other.close()
