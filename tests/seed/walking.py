"""Steps of a marketer and a visitor who follow the help page, each by the names that it gives."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Locator, Page, expect

from devices.models import Brand, EndUser
from devices.pushservice.server import LocalPushService
from tests.browser.harness.chromium import Chromium
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.waiting import POLL_SECONDS, wait_until
from tests.browser.product.shop import SOON, Shop

POPUP = "smartpush-popup"
# Chromium reaches no push service here: its subscription is one of this machine's push service, made beforehand. The
# browser's own question is kept open until the test answers it.
BROWSER = """(() => {
  const GIVEN = %s;
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const held = () => (localStorage.getItem('test-subscribed') ? {
    endpoint: GIVEN.endpoint,
    options: {userVisibleOnly: true, applicationServerKey: bytes(GIVEN.key).buffer},
    getKey: (name) => bytes(GIVEN[name]).buffer,
    unsubscribe: async () => { localStorage.removeItem('test-subscribed'); return true; },
  } : null);
  PushManager.prototype.getSubscription = async () => held();
  PushManager.prototype.subscribe = async () => { localStorage.setItem('test-subscribed', '1'); return held(); };
  window.questions = [];
  Notification.requestPermission = () => new Promise((resolve) => {
    questions.push({resolve, clicked: navigator.userActivation.isActive});
  });
})()"""


@dataclass(frozen=True)
class Marketer:
    """Works in the back office by its menus, labels and buttons alone."""

    page: Page
    brand: Brand

    def menu(self, group: str, name: str) -> Page:
        """Open a page by the group and the name that it has in the sidebar."""
        sidebar = self.page.locator("#nav-sidebar")
        expect(sidebar.get_by_role("heading", name=group, exact=True)).to_be_visible()
        link = sidebar.get_by_role("link", name=re.compile(rf"\b{name}$"))
        link.click()
        expect(self.page.locator("#changelist")).to_be_visible()
        return self.page

    def create(self, group: str, name: str) -> Page:
        """Open a list and press its *Create* button."""
        self.menu(group, name).get_by_role("link", name="Create", exact=True).click()
        return self.page

    def save(self) -> None:
        """Press *Save*, and wait for what it says."""
        self.page.get_by_role("button", name="Save", exact=True).first.click()
        expect(self.page.get_by_text(re.compile("success|Saved", re.I)).first).to_be_visible()

    def profile(self, who: EndUser) -> Page:
        """Open a person's page from the list of end users."""
        self.menu("Audience", "End users")
        self.page.get_by_role("link", name=str(who), exact=True).first.click()
        expect(self.page.get_by_role("heading", name=f"User Profile: {who}", exact=True)).to_be_visible()
        return self.page

    def ready_flow(self, name: str) -> Page:
        """Make a Journey campaign of the ready ones, read its review and activate it."""
        self.menu("Campaigns", "Campaigns").get_by_role("button", name=name).or_(
            self.page.get_by_role("link", name=name)
        ).first.click()
        return self.page

    def activate(self) -> None:
        """Activate the campaign whose review is open."""
        self.page.get_by_role("button", name="Activate now").click()
        expect(self.page.get_by_text("Active", exact=True).first).to_be_visible()

    def card(self, heading: str) -> Locator:
        """A card of the page by its heading."""
        return self.page.locator(".sp-card").filter(has=self.page.get_by_role("heading", name=heading, exact=True))


@dataclass
class Visitor:
    """Has the shop open in a browser that no one asked yet."""

    chromium: Chromium
    service: LocalPushService
    desktop: Desktop
    shop: Shop
    page: Page = field(init=False)
    token: str = field(init=False)

    def __post_init__(self) -> None:
        key = self.shop.brand.vapid_keys.get(active=True).public_key
        (made,) = self.service.subscriptions(1, key)
        self.token = made["token"]
        self.page = self.chromium.context.new_page()
        self.page.add_init_script(BROWSER % json.dumps({**made, "key": key}))

    @property
    def person(self) -> EndUser:
        """Whose session it is."""
        return self.shop.visitor

    def visit(self, path: str = "/") -> Page:
        """Load a page of the shop, and wait until its session is known."""
        sessions = self.shop.sessions()
        self.page.bring_to_front()
        self.page.goto(self.shop.url(path))
        self.until(lambda: self.shop.sessions() > sessions, what="the session")
        return self.page

    def until(self, probe: Callable[[], Any], *, what: str) -> Any:
        """Wait for it, while the page goes on."""

        def look() -> Any:
            self.page.wait_for_timeout(POLL_SECONDS * 1000)
            return probe()

        return wait_until(look, timeout=SOON, what=what)

    def popup(self) -> Locator:
        """The popup, once it stands on the page."""
        card = self.page.locator(f"{POPUP} .card")
        card.wait_for(timeout=SOON * 1000)
        return card

    def press(self, button: str) -> None:
        """Press a button of the popup by its title."""
        self.popup().get_by_role("button", name=button, exact=True).click()

    def questions(self) -> list[bool]:
        """Return what the browser was made to ask, and whether that was inside a click."""
        return list(self.page.evaluate("questions.map(({clicked}) => clicked)"))

    def answer(self, permission: str) -> None:
        """Answer the browser's own question."""
        self.page.wait_for_function("questions.length", timeout=SOON * 1000)
        self.chromium.set_permission(self.shop.origin, permission)
        self.page.evaluate("(answer) => questions.at(-1).resolve(answer)", permission)

    def identify(self, external_id: str) -> None:
        """Log in at the shop."""
        self.page.evaluate("(id) => smartpush('identify', id)", external_id)

    def pushed(self) -> dict[str, Any]:
        """The one push that the push service was handed for this browser, shown on the screen."""
        (message,) = self.until(lambda: self.service.messages(token=self.token), what="the push")
        self.chromium.hand_over(message["plaintext"], url_part="smartpush-sw.js")
        return dict(json.loads(message["plaintext"])["smartpush"])
