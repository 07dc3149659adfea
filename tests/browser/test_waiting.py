"""What a test waits for may have come before it begins to wait, and what announced it may never be told."""

import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import SiteFactory
from .harness.chromium import Chromium
from .harness.desktop import Desktop
from .harness.firefox import Firefox
from .harness.process import Child
from .harness.sites import Site
from .harness.waiting import PATIENCE_SECONDS, wait_until

HERE = Path(__file__).parent
# Each of them waits for news of the browser, which comes once and to those who listen already.
FOR_NEWS = re.compile(r"\.(wait_for_url|wait_for_event|expect_page|expect_popup|expect_navigation)\(")

OPENER = """
self.onpush = (event) => event.waitUntil(self.registration.showNotification(event.data.text()));
self.onnotificationclick = (event) => {
  event.notification.close();
  event.waitUntil(clients.openWindow('/loading'));
};
"""


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_SECONDS)
        yield server


@pytest.fixture
def site(static_site: SiteFactory, silent: socket.socket) -> Site:
    """A site with a page that never ends to load: nobody is ever told that it has loaded."""
    address = f"http://127.0.0.1:{silent.getsockname()[1]}/"
    return static_site(
        {
            "/": "<!doctype html><title>Front</title>",
            "/loading": f"<!doctype html><title>Loading</title><img src='{address}'>",
            "/sw.js": OPENER,
        }
    )


def test_a_window_that_a_page_opened_is_found_long_after_its_address_came(
    chromium: Chromium, site: Site, silent: socket.socket
):
    chromium.page.goto(site.url())
    chromium.page.evaluate("(address) => { window.open(address); }", site.url("/loading"))
    held, _ = silent.accept()
    with held:
        chromium.page.wait_for_timeout(200)
        assert chromium.wait_page(site.url("/loading")).title() == "Loading"


def test_a_window_that_a_service_worker_opened_is_found_long_after_its_address_came(
    chromium: Chromium, desktop: Desktop, site: Site, silent: socket.socket
):
    chromium.set_permission(site.origin, "granted")
    page = chromium.page
    page.goto(site.url())
    page.evaluate("navigator.serviceWorker.register('/sw.js').then(() => navigator.serviceWorker.ready).then(() => 1)")
    chromium.deliver_push(page, "Open it")
    desktop.click(desktop.wait_notification())
    held, _ = silent.accept()
    with held:
        page.wait_for_timeout(200)
        assert chromium.wait_page(site.url("/loading")).title() == "Loading"


def test_a_page_that_is_not_there_is_missed_by_name(chromium: Chromium, site: Site):
    chromium.page.goto(site.url())
    with pytest.raises(AssertionError, match=r"a page at .*/nowhere") as missed:
        chromium.wait_page(site.url("/nowhere"), timeout=0.1)
    assert site.url() in str(missed.value)


def test_a_line_that_a_process_printed_before_a_thousand_others_is_still_found():
    talker = "print('ready at 8800'); print('noise\\n' * 1000, end=''); import time; time.sleep(600)"
    child = Child([sys.executable, "-uc", talker], name="talker", env={})
    try:
        wait_until(lambda: child.tail(lines=5000).count("noise") == 1000, what="all of the noise")
        assert child.wait_line(pattern=r"ready at (\d+)", timeout=PATIENCE_SECONDS)[1] == "8800"
        assert child.tail().count("\n") < 100
    finally:
        child.kill()


def test_no_browser_test_waits_for_news_that_may_have_come():
    here = Path(__file__).name
    waits = [
        f"{path.relative_to(HERE)}:{number}: {line.strip()}"
        for path in sorted(HERE.rglob("*.py"))
        if path.name not in {here, "pictures.py"}
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if FOR_NEWS.search(line)
    ]
    assert waits == [], "Wait for what is there: Chromium.wait_page, expect(page).to_have_url, wait_until."


def test_a_question_that_a_window_behind_another_keeps_back_is_answered_in_that_window(
    firefox: Firefox, static_site: SiteFactory
):
    site = static_site({"/": "<!doctype html><title>Shop</title>"})
    asking = firefox.open(site.url(), window=True)
    firefox.open(site.url(), window=True)
    asking.evaluate(
        "Notification.requestPermission().then((answer) => { window.answer = answer; }); null", user_gesture=True
    )
    assert firefox.answer_permission("allow")["id"] == "web-notifications"
    assert asking.wait("window.answer") == "granted"


def test_a_question_that_never_comes_is_missed_with_what_decides_about_it(firefox: Firefox, static_site: SiteFactory):
    firefox.open(static_site({"/": "<!doctype html><title>Shop</title>"}).url())
    with pytest.raises(AssertionError, match="an open permission prompt") as missed:
        firefox.answer_permission("allow", timeout=0.1)
    assert all(word in str(missed.value) for word in ('"active":', '"panel":', '"asked":[]'))
