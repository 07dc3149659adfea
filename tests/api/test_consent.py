"""What was asked and answered is kept: the use of the site, popups with their revision, and what a withdrawal does."""

from datetime import UTC, datetime, timedelta

import pytest

from assets.models import PopupRevision
from assets.services import PopupDraft, PopupVariantDraft, popup_resource_save
from devices.models import ConsentRecord, Delivery, Device, EndUser, PopupOffer, PushStatus, TokenHolding
from devices.people.services.categories import category_archive, category_create
from smartpush.common.ids import row_number
from tests.api.page import Page, asking_campaign
from tests.support.people import person

LONG_AGO = "2026-01-02T03:04:05Z"


@pytest.fixture
def categories(brand):
    """Two categories that the popup offers and one that it does not."""
    greek = {"el": {"name": "Νέα", "description": "Ό,τι καινούριο"}}
    news = category_create(brand=brand, name="News", description="What is new", translations=greek)
    sports = category_create(brand=brand, name="Sports")
    category_create(brand=brand, name="Offers")
    return [news, sports]


@pytest.fixture
def with_categories(brand, categories):
    """The ready flow, its popup with categories, in English and Greek."""
    variants = (
        PopupVariantDraft(language="en", title="What may we tell you?"),
        PopupVariantDraft(language="el", title="Τι να σας πούμε;"),
    )
    draft = PopupDraft(variants=variants, template="categories", categories=("NEWS", "SPORTS"))
    popup = popup_resource_save(brand=brand, name="What may we tell you?", draft=draft, by=None)
    return asking_campaign(brand, popup=popup)


def shown(page: Page, **session) -> dict:
    """The popup that comes with the session, drawn."""
    offer = page.session(**session)["popup"]
    page.call("popups/shown", offer=offer["id"])
    return offer


def records(subject: str) -> list[ConsentRecord]:
    return list(ConsentRecord.objects.filter(subject=subject).order_by("pk"))


def markers(page: Page) -> list[str]:
    return page.device.session_end_user.js_markers


def test_the_popup_offers_categories_in_the_end_users_language_with_todays_ticks(page, with_categories):
    page.session()
    EndUser.objects.update(language="el-GR", js_markers=["SPORTS", "VIP"])
    content = page.call("popups/poll")["popup"]["content"]
    assert content["language"] == "el"
    assert content["categories"] == [
        {"marker": "NEWS", "name": "Νέα", "description": "Ό,τι καινούριο", "selected": False},
        {"marker": "SPORTS", "name": "Sports", "description": "", "selected": True},
    ]


@pytest.mark.parametrize("outcome", ["allowed", "blocked", "dismissed", "clicked"])
def test_ticked_categories_become_markers_and_unticked_ones_go(page, with_categories, outcome):
    offer = shown(page)
    EndUser.objects.update(js_markers=["SPORTS", "VIP"])
    if outcome == "allowed":
        page.allow()
    page.call("popups/outcome", offer=offer["id"], outcome=outcome, push=page.push, categories=["NEWS"])
    assert markers(page) == ["NEWS", "VIP"]
    (record,) = records("popup")
    assert (record.answer, record.markers) == (outcome, ["NEWS"])


def test_only_what_was_offered_can_be_ticked(page, with_categories):
    offer = shown(page)
    EndUser.objects.update(js_markers=["OFFERS"])
    page.call("popups/outcome", offer=offer["id"], outcome="clicked", categories=["news", "VIP", "NEWS"])
    assert markers(page) == ["NEWS", "OFFERS"]


@pytest.mark.parametrize("outcome", ["later", "closed", "no_answer"])
def test_without_the_first_button_no_category_changes(page, with_categories, outcome):
    offer = shown(page)
    EndUser.objects.update(js_markers=["SPORTS"])
    page.call("popups/outcome", offer=offer["id"], outcome=outcome, categories=["NEWS"])
    assert markers(page) == ["SPORTS"]
    (record,) = records("popup")
    assert (record.answer, record.markers) == (outcome, [])


def test_a_second_answer_changes_neither_categories_nor_the_proof(page, with_categories):
    offer = shown(page)
    page.call("popups/outcome", offer=offer["id"], outcome="clicked", categories=["NEWS"])
    page.call("popups/outcome", offer=offer["id"], outcome="clicked", categories=["SPORTS"])
    assert markers(page) == ["NEWS"]
    assert len(records("popup")) == 1


def test_the_markers_are_there_when_the_journey_goes_on(page, with_categories):
    offer = shown(page)
    page.allow()
    page.call("popups/outcome", offer=offer["id"], outcome="allowed", push=page.push, categories=["NEWS"])
    record, delivery = records("popup")[0], Delivery.objects.get()
    assert delivery.end_user.js_markers == ["NEWS"]
    assert record.recorded_at <= datetime.now(UTC)


def test_too_many_markers_refuse_the_whole_answer(page, with_categories):
    offer = shown(page)
    EndUser.objects.update(js_markers=[f"M{n}" for n in range(200)])
    page.allow()
    error = page.call(
        "popups/outcome", offer=offer["id"], outcome="allowed", push=page.push, categories=["NEWS"], expect=400
    )
    assert error["code"] == "invalid_marker"
    assert PopupOffer.objects.get().state == "shown"
    assert page.device.token_hash is None
    assert not records("popup")


def test_the_proof_of_a_popup_names_revision_offer_language_origin_and_time(page, with_categories):
    before = datetime.now(UTC)
    offer = shown(page, language="el")
    page.allow()
    page.call("popups/outcome", offer=offer["id"], outcome="allowed", push=page.push, language="el")
    (record,) = records("popup")
    assert record.popup_revision_id == PopupRevision.objects.get(template="categories").pk
    assert record.offer_id == row_number("offer", offer["id"])
    assert (record.language, record.origin, record.by) == ("el", page.origin, "end_user")
    assert (record.end_user_id, record.device_id) == (page.device.session_end_user_id, page.device.pk)
    assert record.brand_id == page.brand.pk
    assert before <= record.at <= datetime.now(UTC)


def test_a_simple_popup_that_asks_for_permission_is_proven_too(page, asking):
    offer = shown(page)
    page.call("popups/outcome", offer=offer["id"], outcome="later", categories=["NEWS"])
    (record,) = records("popup")
    assert (record.answer, record.language, record.markers) == ("later", "en", [])
    assert markers(page) == []


def test_a_category_put_away_meanwhile_is_still_what_was_offered(page, with_categories, categories):
    offer = shown(page)
    category_archive(category=categories[0], now=datetime.now(UTC))
    page.call("popups/outcome", offer=offer["id"], outcome="clicked", categories=["NEWS"])
    assert markers(page) == ["NEWS"]


def test_who_opted_out_is_not_asked_for_permission(page, asking):
    page.session()
    PopupOffer.objects.update(state="pending", device_id=None)
    EndUser.objects.update(user_opt_out=True)
    assert page.call("popups/poll")["popup"] is None
    EndUser.objects.update(user_opt_out=False, platform_opt_out=True)
    assert page.call("popups/poll")["popup"] is None
    EndUser.objects.update(platform_opt_out=False)
    assert page.call("popups/poll")["popup"] is not None


# --- the use of the site ---
def test_a_session_brings_the_consent_that_was_given(page):
    page.session(consent={"answer": "given", "at": LONG_AGO, "language": "el"})
    page.session(consent={"answer": "given", "at": LONG_AGO, "language": "el"})
    (record,) = records("tracking")
    assert (record.answer, record.language, record.origin) == ("given", "el", page.origin)
    assert record.at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert record.recorded_at > record.at


def test_a_clock_that_is_ahead_proves_nothing_of_the_future(page):
    page.session()
    page.call("consents", subject="tracking", answer="given", at="2999-01-01T00:00:00Z")
    (record,) = records("tracking")
    assert record.at <= datetime.now(UTC)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00+14:00"])
def test_a_clock_that_was_never_set_gives_a_time_that_every_zone_can_show_and_one_record(page, at):
    page.session(consent={"answer": "given", "at": at})
    page.session(consent={"answer": "given", "at": at})
    page.call("consents", subject="tracking", answer="given", at=at)
    (record,) = records("tracking")
    assert record.at == datetime(2020, 1, 1, tzinfo=UTC)


def test_a_withdrawal_drops_the_token_and_ends_what_waits_here(page, asking):
    offer = shown(page)
    page.allow()
    page.call("popups/outcome", offer=offer["id"], outcome="allowed", push=page.push)
    assert Delivery.objects.get().state == "ready"
    assert page.call("consents", subject="tracking", answer="withdrawn") == {"ok": True}
    device, delivery = page.device, Delivery.objects.get()
    assert (device.token_hash, device.unreachable_reason) == (None, "consent_withdrawn")
    assert (delivery.state, delivery.reason) == ("cancelled", "consent_withdrawn")
    assert TokenHolding.objects.get().ended == "consent_withdrawn"
    assert PushStatus.objects.get().status == "allowed", "the browser's permission is what it was"
    assert [record.answer for record in records("tracking")] == ["withdrawn"]


def test_a_withdrawal_takes_the_open_popup_away(page, asking):
    shown(page)
    page.call("consents", subject="tracking", answer="withdrawn")
    assert PopupOffer.objects.get().state == "cancelled"


def test_after_a_withdrawal_a_new_consent_and_subscription_work_again(page):
    page.allow()
    page.session(external_id="ann")
    page.call("consents", subject="tracking", answer="withdrawn")
    page.allow()
    later = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    assert page.session(external_id="ann", consent={"answer": "given", "at": later})["status"] == "allowed"
    assert page.device.token_hash
    assert [record.answer for record in records("tracking")] == ["withdrawn", "given"]


def test_a_withdrawal_on_one_device_leaves_the_others(page, brand):
    page.allow()
    page.session(external_id="ann")
    phone = Page(brand, page.origin)
    phone.allow()
    phone.session(external_id="ann")
    phone.call("consents", subject="tracking", answer="withdrawn")
    assert Device.objects.filter(holder=person(brand, "ann"), token_hash__isnull=False).get() == page.device


@pytest.mark.parametrize(
    "wrong",
    [{"answer": "perhaps"}, {"subject": "popup"}, {"answer": None}],
)
def test_an_answer_that_is_none_is_refused(page, wrong):
    page.session()
    page.call("consents", **({"subject": "tracking", "answer": "given"} | wrong), expect=400)
    assert not ConsentRecord.objects.exists()


def test_the_proof_goes_with_a_visitor_who_logs_in(page, brand):
    Page(brand, page.origin).session(external_id="ann")
    page.session(consent={"answer": "given", "at": LONG_AGO})
    page.session(external_id="ann")
    assert records("tracking")[0].end_user_id == person(brand, "ann").pk
