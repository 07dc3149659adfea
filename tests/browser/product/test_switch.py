"""Several people at one browser: the token goes with who logged in last, and comes back."""

from devices.pushservice.server import LocalPushService
from tests.browser.conftest import FirefoxFactory
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.tab import Tab
from tests.browser.harness.waiting import wait_until

from .shop import SOON, Shop


def log_in(tab: Tab, shop: Shop, name: str) -> None:
    """Log in to the shop by its form."""
    tab.click("#who", timeout=SOON)
    tab.press("Control+a")
    tab.type(name)
    tab.press("Enter")
    here = shop.devices().filter(session_end_user__external_id=name)
    wait_until(here.exists, timeout=SOON, what=f"{name} on this device")


def log_out(tab: Tab, shop: Shop) -> None:
    """Log out of the shop by its button."""
    tab.click("#logout", timeout=SOON)
    wait_until(lambda: shop.visitor.external_id is None, timeout=SOON, what="an anonymous session")


def test_login_of_another_suspends_the_first_and_cancels_what_waited_until_the_first_is_back(
    firefox_factory: FirefoxFactory, push_service: LocalPushService, desktop: Desktop, shop: Shop
):
    tab = firefox_factory(prompt="granted").open(shop.url())
    log_in(tab, shop, "ann")
    wait_until(lambda: shop.device.token_hash, timeout=SOON, what="the subscription")
    ann = shop.user("ann")
    token = shop.device.token_hash
    push_service.fail(503, retry_after=3600)
    waiting = shop.send_test(shop.push("For Ann"), ann)

    def held() -> bool:
        waiting.refresh_from_db()
        return waiting.hold_reason == "retry"

    wait_until(held, timeout=SOON, what="a push that waits for its next try")
    push_service.clear_failures()

    log_out(tab, shop)
    assert shop.device.holder_id == ann.pk and shop.status(ann) == "allowed"
    log_in(tab, shop, "bob")
    bob = shop.user("bob")
    assert (shop.status(ann), shop.status(bob)) == ("suspended", "allowed")
    assert shop.user("ann").last_session_status == "suspended"
    assert (shop.device.holder_id, shop.device.token_hash) == (bob.pk, token)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("cancelled", "device_taken_over")
    shop.send_test(shop.push("For Bob"), bob)
    desktop.wait_notification(SOON, lambda one: one.summary == "For Bob")

    log_out(tab, shop)
    log_in(tab, shop, "ann")
    assert (shop.status(ann), shop.status(bob)) == ("allowed", "suspended")
    assert (shop.device.holder_id, shop.device.token_hash) == (ann.pk, token)
    shop.send_test(shop.push("For Ann again"), ann)
    desktop.wait_notification(SOON, lambda one: one.summary == "For Ann again")
    assert [one.summary for one in desktop.history] == ["For Bob", "For Ann again"]
