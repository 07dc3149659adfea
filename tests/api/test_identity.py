"""Proof of who calls: the modes off, observe and enforce, as the SDK sees them."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.installations.identity import identity_key_revoke
from devices.lifecycle.brands import brand_create
from devices.models import Brand, Delivery, Device, EndUser, Event, IdentityObservation, PopupOffer
from smartpush.api.sdk import auth
from tests.api.page import Page, event
from tests.support.identity_tokens import Signer


@pytest.fixture
def signer(brand) -> Signer:
    return Signer(brand)


def mode(brand: Brand, wanted: str) -> None:
    brand.identity_mode = wanted
    brand.save(update_fields=["identity_mode"])
    auth._sites.clear()


@pytest.fixture
def enforcing(brand) -> None:
    mode(brand, "enforce")


def seen() -> dict[str, int]:
    return dict(IdentityObservation.objects.values_list("outcome", "count"))


def lapse(page: Page, ago: timedelta = timedelta(minutes=2)) -> None:
    Device.objects.filter(pk=page.device.pk).update(identity_proven_until=datetime.now(UTC) - ago)


def as_ann(page: Page, signer: Signer) -> dict:
    page.session()
    return page.session(path="identify", external_id="ann", identity_token=signer.token())


# --- off ---
def test_off_looks_at_no_token(page, brand, signer):
    page.session(external_id="ann", identity_token="nonsense")
    answer = page.session(external_id="ann", identity_token=signer.token("bob"))
    assert answer["identity"] == {"required": False, "proven_until": None}
    assert page.device.identity_proven_until is None
    assert seen() == {}


# --- observe ---
@pytest.mark.usefixtures("one_minute")  # the counts are of one day
def test_observe_counts_and_refuses_nothing(page, brand, signer):
    mode(brand, "observe")
    page.session()
    page.session(external_id="ann")
    page.session(external_id="ann", identity_token="nonsense")
    page.session(external_id="ann", identity_token="x" * 9000)
    answer = page.session(external_id="ann", identity_token=signer.token())
    assert seen() == {"missing": 1, "malformed": 2, "valid": 1}
    assert answer["identity"]["required"] is False
    assert answer["identity"]["proven_until"] is not None
    failed = IdentityObservation.objects.get(outcome="malformed")
    assert (failed.last_external_id, failed.last_origin) == ("ann", page.origin)


def test_observe_keeps_serving_who_is_not_proven(page, brand):
    mode(brand, "observe")
    page.session(external_id="ann", properties={"plan": "gold"})
    assert page.call("markers", operation="add", markers=["NEWS"]) == {"markers": ["NEWS"]}
    assert EndUser.objects.get(external_id="ann").properties == {"plan": "gold"}


# --- enforce: naming somebody ---
def test_enforce_takes_a_valid_token(page, brand, signer, enforcing):
    answer = as_ann(page, signer)
    assert answer["end_user"]["external_id"] == "ann"
    assert answer["identity"]["required"] is False
    until = page.device.identity_proven_until
    assert until is not None
    assert datetime.fromisoformat(answer["identity"]["proven_until"]) == until
    assert timedelta(minutes=9) < until - datetime.now(UTC) <= timedelta(minutes=10)
    assert seen() == {"valid": 1}


@pytest.mark.parametrize("path", ["session", "identify"])
def test_enforce_refuses_a_name_without_a_token_and_writes_nothing(page, brand, signer, enforcing, path):
    page.session()
    before = (page.device.session_end_user_id, page.device.last_seen_at)
    error = page.session(path=path, expect=401, external_id="ann", properties={"a": 1})
    assert error["code"] == "identity_required"
    assert (page.device.session_end_user_id, page.device.last_seen_at) == before
    assert not EndUser.objects.filter(external_id="ann").exists()
    assert not Event.objects.filter(name="login").exists()
    assert seen() == {"missing": 1}


@pytest.mark.parametrize(
    ("token", "outcome"),
    [
        (lambda signer: "nonsense", "malformed"),
        (lambda signer: signer.token("bob"), "subject"),
        (lambda signer: signer.token(exp=1), "expired"),
        (lambda signer: signer.token(header={"kid": "other"}), "key_unknown"),
        (lambda signer: "x" * 30_000, "malformed"),
    ],
)
def test_enforce_refuses_a_token_that_does_not_hold_and_says_why(page, brand, signer, enforcing, token, outcome):
    page.session()
    error = page.session(path="identify", expect=401, external_id="ann", identity_token=token(signer))
    assert error["code"] == "identity_refused"
    assert error["fields"]["identity_token"][0].startswith(f"{outcome}: ")
    assert not EndUser.objects.filter(external_id="ann").exists()
    assert seen() == {outcome: 1}


def test_a_first_call_that_names_somebody_makes_no_installation_without_proof(page, brand, enforcing):
    page.session(expect=401, external_id="ann")
    assert not Device.objects.filter(brand=brand).exists()


def test_another_brands_key_opens_nothing(page, brand, enforcing):
    theirs = Signer(brand_create(name="Other", origin="https://other.example"), "k1")
    Signer(brand, "k1")
    error = page.session(expect=401, external_id="ann", identity_token=theirs.token())
    assert error["fields"]["identity_token"][0].startswith("signature: ")


# --- enforce: calls for a known end user ---
CALLS = {
    "events": {"events": [event()]},
    "markers": {"operation": "add", "markers": ["NEWS"]},
    "popups/poll": {},
    "popups/shown": {"offer": "x"},
    "preferences/read": {},
    "preferences": {"opted_out": True},
    "preferences/link": {},
    "consents": {"subject": "tracking", "answer": "withdrawn"},
}


@pytest.mark.parametrize("path", CALLS)
def test_calls_for_a_known_end_user_need_a_proof_that_holds(page, brand, signer, enforcing, path):
    as_ann(page, signer)
    lapse(page)
    assert page.call(path, expect=401, **CALLS[path])["code"] == "identity_required"
    ann = EndUser.objects.get(external_id="ann")
    assert (ann.js_markers, ann.user_opt_out) == ([], False)
    assert not Event.objects.filter(name="deposit").exists()


def test_a_popups_answer_needs_a_proof_that_holds(page, brand, signer, enforcing, asking):
    as_ann(page, signer)
    offer = page.call("events", events=[event("login")])["popup"] or page.call("popups/poll")["popup"]
    page.call("popups/shown", offer=offer["id"])
    lapse(page)
    assert page.call("popups/outcome", expect=401, offer=offer["id"], outcome="later")["code"] == "identity_required"
    assert PopupOffer.objects.get().state == "shown"
    page.session(path="identify", external_id="ann", identity_token=signer.token())
    page.call("popups/outcome", offer=offer["id"], outcome="later")
    assert PopupOffer.objects.get().state == "later"


def test_a_minute_of_difference_between_clocks_is_forgiven(page, brand, signer, enforcing):
    as_ann(page, signer)
    lapse(page, timedelta(seconds=50))
    page.call("popups/poll")


def test_visitors_need_no_proof(page, brand, enforcing):
    page.session()
    assert page.call("events", events=[event()])["accepted"] == 1
    assert page.call("markers", operation="add", markers=["NEWS"]) == {"markers": ["NEWS"]}


def test_the_session_of_a_known_end_user_without_proof_tells_the_truth_and_changes_nothing_else(
    page, brand, signer, enforcing, asking
):
    as_ann(page, signer)
    lapse(page)
    page.permission = "denied"
    answer = page.session(properties={"plan": "gold"}, language="el")
    assert answer["identity"]["required"] is True
    assert answer["popup"] is None
    assert answer["status"] == "blocked"
    ann = EndUser.objects.get(external_id="ann")
    assert (ann.properties, ann.language, ann.last_session_status) == ({}, "en-GB", "blocked")


def test_no_popup_goes_to_a_page_whose_proof_has_lapsed(page, brand, signer, enforcing, asking):
    as_ann(page, signer)
    page.call("events", events=[event("login")])
    lapse(page)
    later = page.beside("tab-2")
    assert later.session()["popup"] is None
    assert later.call("status", push=page.push)["popup"] is None


def test_status_logout_and_the_workers_report_need_no_proof(page, brand, signer, enforcing):
    as_ann(page, signer)
    lapse(page)
    page.allow()
    assert page.call("status", push=page.push)["status"] == "allowed"
    assert page.call("worker/subscription", push=page.push)["status"] == "allowed"
    answer = page.call("logout")
    assert answer["end_user"]["anonymous"] is True
    assert answer["identity"] == {"required": False, "proven_until": None}
    assert page.device.holder.external_id == "ann"


# --- whose proof it is ---
def test_logout_and_a_switch_end_the_proof(page, brand, signer):
    mode(brand, "observe")
    as_ann(page, signer)
    page.session(path="identify", external_id="bob")
    assert page.device.identity_proven_until is None
    as_ann(page, signer)
    page.call("logout")
    assert (page.device.identity_proven_until, page.device.identity_key_id) == (None, None)


def test_a_switch_with_proof_proves_the_new_one_alone(page, brand, signer, enforcing):
    as_ann(page, signer)
    page.session(path="identify", external_id="bob", identity_token=signer.token("bob"))
    assert page.call("markers", operation="add", markers=["B"]) == {"markers": ["B"]}
    error = page.session(path="identify", expect=401, external_id="ann", identity_token=signer.token("bob"))
    assert error["code"] == "identity_refused"
    assert page.device.session_end_user.external_id == "bob"


def test_a_browser_that_lost_its_storage_proves_itself_anew(page, brand, signer, enforcing):
    page.allow()
    as_ann(page, signer)
    page.installation = None
    answer = page.session()
    assert answer["end_user"]["external_id"] == "ann"
    assert answer["identity"]["required"] is True


def test_what_a_revoked_key_has_proven_ends_with_it(page, brand, signer, enforcing):
    spare = Signer(brand, "k2")
    as_ann(page, signer)
    identity_key_revoke(key=signer.key, now=datetime.now(UTC))
    assert page.call("popups/poll", expect=401)["code"] == "identity_required"
    error = page.session(path="identify", expect=401, external_id="ann", identity_token=signer.token())
    assert error["fields"]["identity_token"][0].startswith("key_revoked: ")
    page.session(path="identify", external_id="ann", identity_token=spare.token())
    page.call("popups/poll")


def test_turning_enforcement_on_asks_known_end_users_once_and_breaks_no_installation(page, brand, signer):
    page.allow()
    page.session(external_id="ann")
    installation = dict(page.installation)
    mode(brand, "enforce")
    assert page.call("popups/poll", expect=401)["code"] == "identity_required"
    answer = page.session(path="identify", external_id="ann", identity_token=signer.token())
    assert (answer["status"], page.installation) == ("allowed", installation)
    page.call("popups/poll")


def test_a_visitor_is_merged_under_enforcement_with_all_that_they_did(page, brand, signer, enforcing):
    as_ann(page, signer)
    visitor = Page(brand, page.origin)
    visitor.allow()
    visitor.session()
    visitor.call("markers", operation="add", markers=["NEWS"])
    visitor.session(path="identify", expect=401, external_id="ann")
    assert EndUser.objects.filter(brand=brand, external_id=None).exists()
    answer = visitor.session(path="identify", external_id="ann", identity_token=signer.token())
    assert answer["status"] == "allowed"
    ann = EndUser.objects.get(brand=brand, external_id="ann")
    assert ann.js_markers == ["NEWS"]
    assert {page.device.session_end_user_id, visitor.device.session_end_user_id} == {ann.pk}
    assert Delivery.objects.count() == 0


# --- external ids and languages ---
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("   ", "blank"),
        ("\u00a0", "blank"),
        ("a\tb", "U+0009"),
        ("a\x7fb", "U+007F"),
        ("ann\u202egnp", "U+202E"),
        ("ann\u200b", "U+200B"),
        ("a\u2028b", "U+2028"),
        ("\ufeffann", "U+FEFF"),
        ("a" * 256, "255"),
    ],
)
def test_an_external_id_that_cannot_be_told_by_eye_is_refused(page, given, said):
    error = page.session(expect=400, external_id=given)
    assert error["code"] == "invalid_request"
    assert said in error["fields"]["external_id"][0]


@pytest.mark.parametrize(("given", "kept"), [(" ann ", "ann"), ("Ζωή 猫", "Ζωή 猫"), ("a" * 255, "a" * 255)])
def test_blanks_around_an_external_id_are_dropped(page, given, kept):
    assert page.session(external_id=given)["end_user"]["external_id"] == kept


@pytest.mark.parametrize(
    ("given", "kept"), [("EN", "en"), ("pt_br", "pt-BR"), ("zh-hant-hk", "zh-Hant-HK"), ("de-DE-u-co-phonebk", "de-DE")]
)
def test_languages_are_kept_as_variants_name_them(page, given, kept):
    page.session(external_id="ann", language=given, device={"language": given})
    assert EndUser.objects.get(external_id="ann").language == kept
    assert page.device.language == kept


def test_a_language_that_is_none_is_left_out_and_told(page):
    answer = page.session(external_id="ann", language="English!", device={"language": "x-klingon\u202e"})
    assert [(one["field"], one["code"]) for one in answer["left_out"]] == [
        ("language", "unreadable"),
        ("device.language", "unreadable"),
    ]
    assert (page.device.language, EndUser.objects.get(external_id="ann").language) == ("", "")
