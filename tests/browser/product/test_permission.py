"""A visitor of the shop in real Firefox, asked for permission by the ready flow, as the back office sees it."""

import time

from devices.pushservice.server import LocalPushService
from tests.browser.harness.desktop import Desktop
from tests.browser.harness.firefox import Firefox
from tests.browser.harness.waiting import wait_until

from .shop import CARD, LANDING, LATER, PRIMARY, SOON, Shop


def test_the_ready_flow_leads_from_popup_over_the_real_question_to_a_welcome_push_that_is_clicked_and_counted(
    firefox: Firefox, desktop: Desktop, shop: Shop, record_property
):
    campaign = shop.ready_flow()
    tab = firefox.open(shop.url())
    tab.click(PRIMARY, timeout=SOON)
    wait_until(firefox.permission_prompt, timeout=SOON, what="the browser's question")
    assert shop.status(shop.visitor) == "ask"

    allowed_at = time.time()
    firefox.answer_permission("allow", timeout=SOON)
    shown = desktop.wait_notification(SOON, lambda one: one.summary == "Welcome, there!")
    seconds = round(shown.at - allowed_at, 2)
    record_property("allow_to_notification_seconds", seconds)
    print(f"Allow to notification: {seconds} s")

    visitor = shop.visitor
    (offer,) = shop.offers()
    assert (offer.state, shop.status(visitor), visitor.last_session_status) == ("allowed", "allowed", "allowed")
    desktop.click(shown)
    firefox.wait_tab(LANDING, timeout=SOON)

    def reported() -> bool:
        (delivery,) = shop.deliveries()
        return bool(delivery.displayed_at and delivery.clicked_at)

    wait_until(reported, timeout=SOON, what="both reports")
    (delivery,) = shop.deliveries()
    assert (delivery.state, delivery.end_user_id, delivery.tries) == ("accepted", visitor.pk, 1)
    counts = shop.counts(campaign)
    popup, push = counts.activities["a1"], counts.activities["a2"]
    assert (counts.totals.entered, counts.totals.done) == (1, 1)
    assert (popup.offered, popup.shown, popup.asked, popup.outcomes) == (1, 1, 1, {"allowed": 1})
    assert (push.accepted, push.displayed, push.clicked, push.reasons) == (1, 1, 1, {})


def test_maybe_later_stays_at_ask_and_only_a_later_run_after_the_interval_asks_again(firefox: Firefox, shop: Shop):
    campaign = shop.ready_flow()
    tab = firefox.open(shop.url())
    tab.click(LATER, timeout=SOON)
    wait_until(lambda: shop.offers()[0].state == "later", timeout=SOON, what="the answer")
    visitor = shop.visitor
    assert (shop.status(visitor), visitor.last_session_status) == ("ask", "ask")
    assert shop.counts(campaign).totals.done == 1

    sessions = shop.sessions()
    tab.goto(shop.url("/books/gulls"))
    wait_until(lambda: shop.sessions() > sessions, timeout=SOON, what="the next session")
    assert tab.evaluate("smartpush('getStatus').then(({status}) => status)") == "ask"
    assert len(shop.offers()) == 1 and tab.locate(CARD) == []

    shop.interval_passes(campaign)
    tab.reload()
    assert tab.text(f"{CARD} h2", timeout=SOON) == "Stay up to date"
    assert [offer.state for offer in shop.offers()] == ["later", "shown"]
    assert shop.visitor.pk == visitor.pk and firefox.permission_prompt() is None


def test_block_is_blocked_and_sends_nothing(
    firefox: Firefox, desktop: Desktop, push_service: LocalPushService, shop: Shop
):
    campaign = shop.ready_flow()
    tab = firefox.open(shop.url())
    tab.click(PRIMARY, timeout=SOON)
    firefox.answer_permission("block", timeout=SOON)
    wait_until(lambda: shop.offers()[0].state == "blocked", timeout=SOON, what="the answer")
    visitor = shop.visitor
    assert (shop.status(visitor), visitor.last_session_status) == ("blocked", "blocked")
    shop.interval_passes(campaign)
    sessions = shop.sessions()
    tab.reload()
    wait_until(lambda: shop.sessions() > sessions, timeout=SOON, what="the next session")
    assert shop.counts(campaign).totals.entered == 1 and len(shop.offers()) == 1
    assert shop.deliveries() == [] and push_service.messages() == [] and desktop.history == []
    assert shop.device.token_hash is None


def test_two_windows_show_one_popup(firefox: Firefox, shop: Shop):
    shop.ready_flow()
    first = firefox.open(shop.url())
    second = firefox.open(shop.url("/books/gulls"), window=True)

    def showing() -> list[object]:
        return [tab for tab in (first, second) if tab.locate(CARD)]

    wait_until(lambda: shop.sessions() == 2, timeout=SOON, what="both sessions")
    wait_until(showing, timeout=SOON, what="the popup")
    assert all(tab.evaluate("smartpush('getStatus').then(({status}) => status)") == "ask" for tab in (first, second))
    assert len(showing()) == 1
    (shown,) = showing()
    shown.click(LATER, timeout=SOON)
    wait_until(lambda: shop.offers()[0].state == "later", timeout=SOON, what="the answer")
    assert len(shop.offers()) == 1 and showing() == []
