"""The popup's way over HTTP: offered, leased to one tab, shown, answered; the journey goes on."""

import pytest

from campaigns.models import Enrolment
from devices.models import Delivery, Device, Dispatch, PopupOffer, PushStatusChange
from smartpush.common.ids import public_id
from tests.api.page import Page

OUTCOME_KEYS = {"status", "popup", "poll_after", "resubscribe", "vapid_key"}


@pytest.fixture
def offered(page, asking) -> tuple[Page, dict]:
    return page, page.session()["popup"]


def test_the_popup_comes_with_the_session_in_its_whole_shape(offered):
    _, offer = offered
    assert set(offer) == {"id", "template", "lease_seconds", "expires_at", "content"}
    assert offer["template"] == "simple"
    content = offer["content"]
    assert set(content) == {
        "language",
        "direction",
        "title",
        "text",
        "image",
        "subscribe_label",
        "later_label",
        "close_label",
        "colours",
        "primary",
    }
    assert (content["language"], content["direction"], content["image"]) == ("en", "ltr", None)
    assert set(content["colours"]) == {"background", "text", "button", "button_text"}
    assert content["primary"] == {"kind": "permission", "url": ""}


@pytest.mark.parametrize(
    ("device", "known", "language", "direction"),
    [("nb-NO", "", "no", "ltr"), ("de", "", "en", "ltr"), ("en", "iw", "he", "rtl"), ("pa-PK", "", "pa-PK", "rtl"),
     ("pa", "", "en", "ltr")],
)  # fmt: skip
def test_a_popup_speaks_the_nearest_language(page, brand, asking, device, known, language, direction):
    page.session(device={"language": device}, language=known)
    dispatch = Dispatch.objects.get()
    variant = dispatch.content["variants"]["en"]
    dispatch.content["variants"] = {code: variant | {"title": code} for code in ("en", "no", "he", "pa-PK")}
    dispatch.save()
    offer = page.call("popups/poll")["popup"]
    assert offer["content"]["title"] == language
    assert (offer["content"]["language"], offer["content"]["direction"]) == (language, direction)


def test_only_one_tab_gets_it(offered):
    page, offer = offered
    second = page.beside("tab-2")
    assert second.call("popups/poll") == {"popup": None, "poll_after": 30}
    assert second.session()["popup"] is None
    assert page.call("popups/poll")["popup"]["id"] == offer["id"]
    assert second.call("popups/shown", offer=offer["id"], expect=409)["code"] == "offer_not_yours"
    assert page.call("popups/shown", offer=offer["id"]) == {"ok": True}
    assert PopupOffer.objects.get().state == "shown"
    assert page.call("popups/poll")["popup"] is None


def test_allowed_with_the_subscription_goes_on_to_the_welcome_push(offered):
    page, offer = offered
    page.call("popups/shown", offer=offer["id"])
    page.allow()
    answer = page.call("popups/outcome", offer=offer["id"], outcome="allowed", push=page.push)
    assert set(answer) == OUTCOME_KEYS
    assert answer["status"] == "allowed"
    delivery = Delivery.objects.get()
    assert (delivery.device_id, delivery.state) == (page.device.pk, "ready")
    assert delivery.chunk_id is not None
    assert PushStatusChange.objects.order_by("-pk").first().cause == "popup"


def test_the_same_answer_again_has_one_effect(offered):
    page, offer = offered
    page.call("popups/shown", offer=offer["id"])
    page.allow()
    answers = [page.call("popups/outcome", offer=offer["id"], outcome="allowed", push=page.push) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert Delivery.objects.count() == 1
    assert PushStatusChange.objects.filter(new="allowed").count() == 1


def test_the_first_answer_stands(offered):
    page, offer = offered
    page.call("popups/shown", offer=offer["id"])
    page.call("popups/outcome", offer=offer["id"], outcome="later")
    page.call("popups/outcome", offer=offer["id"], outcome="closed")
    assert PopupOffer.objects.get().state == "later"


@pytest.mark.parametrize("outcome", ["later", "closed", "dismissed", "no_answer", "clicked"])
def test_every_other_outcome_ends_the_run_without_a_push(offered, outcome):
    page, offer = offered
    page.call("popups/shown", offer=offer["id"])
    answer = page.call("popups/outcome", offer=offer["id"], outcome=outcome)
    assert set(answer) == OUTCOME_KEYS
    assert (answer["status"], answer["popup"]) == ("ask", None)
    row = PopupOffer.objects.get()
    assert row.state == outcome
    assert (row.asked_at is not None) == (outcome == "dismissed")
    assert not Delivery.objects.exists()
    assert not Enrolment.objects.filter(state="active").exists()
    assert page.session()["popup"] is None


def test_blocked_is_recorded_with_its_status(offered):
    page, offer = offered
    page.call("popups/shown", offer=offer["id"])
    page.permission = "denied"
    answer = page.call("popups/outcome", offer=offer["id"], outcome="blocked", push=page.push)
    assert answer["status"] == "blocked"
    assert PopupOffer.objects.get().state == "blocked"


def test_an_unknown_outcome_is_refused(offered):
    page, offer = offered
    error = page.call("popups/outcome", offer=offer["id"], outcome="expired", expect=400)
    assert list(error["fields"]) == ["outcome"]


def test_a_public_id_of_another_kind_is_no_offer(offered):
    page, offer = offered
    number = PopupOffer.objects.get().pk
    for wrong in (
        page.installation["id"],
        public_id("end_user", number),
        public_id("device", number),
        offer["id"][:-1],
        offer["id"] + "=",
        offer["id"][:8] + "!" + offer["id"][8:],
        str(number),
    ):
        for path, extra in (("popups/shown", {}), ("popups/outcome", {"outcome": "later"})):
            assert page.call(path, offer=wrong, expect=404, **extra)["code"] == "offer_unknown"
    assert PopupOffer.objects.get().state == "leased"


def test_another_brand_and_another_end_user_cannot_touch_the_offer(offered, other, brand):
    page, offer = offered
    neighbour = Page(brand, page.origin)
    neighbour.session(external_id="neighbour")
    for stranger in (other, neighbour):
        refusal = stranger.call("popups/shown", offer=offer["id"], expect=409)
        assert refusal["code"] == "offer_not_yours"
        stranger.call("popups/outcome", offer=offer["id"], outcome="closed")
    assert PopupOffer.objects.get(pk=PopupOffer.objects.order_by("pk").first().pk).state == "leased"


def test_installations_of_another_brand_are_unknown_whatever_the_key_and_origin(page, other):
    page.session()
    before = list(Device.objects.order_by("pk").values())
    for brand, origin, installation in (
        (other.brand, other.origin, page.installation),
        (page.brand, page.origin, other.installation),
    ):
        mixed = Page(brand, origin, installation=installation, permission="denied")
        for path, extra in (
            ("session", {"push": mixed.push}),
            ("identify", {"push": mixed.push, "external_id": "eve"}),
            ("status", {"push": mixed.push}),
            ("worker/subscription", {"push": mixed.push}),
            ("logout", {}),
            ("events", {"events": [{"name": "x"}]}),
            ("markers", {"operation": "add", "markers": ["X"]}),
            ("popups/poll", {}),
            ("popups/shown", {"offer": public_id("offer", 1)}),
            ("popups/outcome", {"offer": public_id("offer", 1), "outcome": "later", "push": mixed.push}),
        ):
            assert mixed.call(path, expect=401, **extra)["code"] == "installation_unknown", path
    assert list(Device.objects.order_by("pk").values()) == before


def test_a_popup_that_asks_for_permission_is_not_offered_where_there_is_nothing_to_ask(page, asking):
    page.permission = "denied"
    assert page.session()["popup"] is None


def test_without_a_tab_nothing_is_leased(page, asking):
    response = page.send("session", {"push": page.push})
    page.installation = response.json()["installation"]
    assert response.json()["popup"] is None
    assert PopupOffer.objects.get().state == "pending"
    assert page.call("popups/poll")["popup"] is not None


def test_a_tab_that_shows_a_popup_hears_that_it_was_taken_back(offered):
    page, offer = offered
    page.call("popups/shown", offer=offer["id"])
    assert page.call("popups/poll", offer=offer["id"]) == {"popup": None, "poll_after": 30}
    page.call("preferences", opted_out=True)
    assert PopupOffer.objects.get().state == "cancelled"
    assert page.call("popups/poll", offer=offer["id"])["withdrawn"] is True
    # What was clicked meanwhile counts no more; an id that is nobody's says nothing.
    page.call("popups/outcome", offer=offer["id"], outcome="later")
    assert PopupOffer.objects.get().state == "cancelled"
    for strange in ("", "x", public_id("offer", 99)):
        assert "withdrawn" not in page.call("popups/poll", offer=strange)


def test_nobody_hears_of_another_persons_popup(offered, brand):
    page, offer = offered
    PopupOffer.objects.update(state="cancelled")
    stranger = Page(brand, page.origin)
    stranger.session()
    assert "withdrawn" not in stranger.call("popups/poll", offer=offer["id"])


def test_a_popup_that_a_tab_was_given_before_the_opt_out_is_not_drawn(offered):
    page, offer = offered
    page.call("preferences", opted_out=True)
    assert page.call("popups/shown", offer=offer["id"], expect=409)["code"] == "offer_not_yours"


@pytest.mark.parametrize("said", ["closed", "clicked"])
def test_a_button_that_only_closes_is_recorded_as_closed_whatever_an_old_page_calls_it(page, asking, said):
    primary = {"kind": "close", "url": "", "outcome": "closed"}
    offer = page.session()["popup"]
    dispatch = PopupOffer.objects.get().dispatch
    dispatch.content = {**dispatch.content, "primary": primary}
    dispatch.save(update_fields=["content"])
    page.call("popups/shown", offer=offer["id"])
    page.call("popups/outcome", offer=offer["id"], outcome=said)
    assert PopupOffer.objects.get().state == "closed"
