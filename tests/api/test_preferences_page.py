"""The hosted preference page: what it shows, what it saves, and what it keeps to itself."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from devices.lifecycle.merging import end_user_remove_merged
from devices.models import ConsentRecord, EndUser
from devices.people.services.categories import category_archive, category_create
from smartpush.api.preferences.texts import TEXTS
from smartpush.common.ids import preference_token, read_preference_token, report_token
from smartpush.common.time.clock import utc_now
from tests.api.page import Page
from tests.support.people import person


@pytest.fixture
def categories(brand):
    greek = {"el": {"name": "Νέα", "description": "Ό,τι καινούριο"}}
    news = category_create(brand=brand, name="News <b>", marker="NEWS", translations=greek)
    return [news, category_create(brand=brand, name="Sports")]


@pytest.fixture
def ann(page, categories) -> Page:
    page.session(external_id="ann-secret", properties={"first_name": "Annabel"})
    EndUser.objects.update(js_markers=["SPORTS", "VIP"], language="")
    return page


@pytest.fixture
def address(ann, settings) -> str:
    url = ann.call("preferences/link")["url"]
    assert url.startswith(settings.SMARTPUSH_PUBLIC_URL + "/p/")
    return url.removeprefix(settings.SMARTPUSH_PUBLIC_URL)


def opened(address: str, **headers: str) -> Any:
    return Client(enforce_csrf_checks=True).get(address, headers=headers)


def form_of(html: str) -> dict[str, list[str]]:
    """What a browser would send of the form as it stands."""
    sent: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", html):
        fields = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if fields["type"] == "hidden" or "checked" in tag:
            sent.setdefault(fields["name"], []).append(fields["value"])
    return sent


def saved(address: str, form: dict[str, list[str]], **headers: str) -> Any:
    return Client(enforce_csrf_checks=True).post(address, form, headers=headers)


def test_the_link_names_its_end_and_opens_the_page(ann):
    before = utc_now()
    answer = ann.call("preferences/link")
    assert set(answer) == {"url", "expires_at"}
    number, until = read_preference_token(answer["url"].rsplit("/", 1)[1])
    assert number == person(ann.brand, "ann-secret").pk
    assert timedelta(hours=23, minutes=59) < until - before < timedelta(hours=24, minutes=1)


def test_it_shows_the_brand_and_todays_ticks_and_nothing_about_the_person(address):
    html = opened(address).content.decode()
    assert "Harbour Books" in html
    assert form_of(html) == {"shown": ["NEWS", "SPORTS"], "category": ["SPORTS"], "was_opted_out": ["0"]}
    assert "News &lt;b&gt;" in html
    for secret in ("ann-secret", "Annabel", "VIP"):
        assert secret not in html
    assert "<script" not in html
    assert "style=" not in html


@pytest.mark.parametrize("method", ["get", "post"])
def test_its_headers_let_nothing_out_or_in(address, method):
    response = getattr(Client(), method)(address)
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self'" in policy
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["Cache-Control"] == "no-store"
    assert "noindex" in response["X-Robots-Tag"]
    assert not response.cookies
    assert "Access-Control-Allow-Origin" not in response


def test_reading_changes_nothing(address):
    before = list(EndUser.objects.values())
    opened(address)
    Client().head(address)
    assert list(EndUser.objects.values()) == before
    assert not ConsentRecord.objects.exists()


def test_saving_writes_the_ticks_keeps_proof_and_confirms(address, ann, settings):
    form = form_of(opened(address).content.decode()) | {"category": ["NEWS"], "opted_out": ["1"]}
    response = saved(address, form, origin="null")
    assert response.status_code == 303
    html = opened(response["Location"]).content.decode()
    assert TEXTS["en"].saved in html
    assert form_of(html) == {
        "shown": ["NEWS", "SPORTS"], "category": ["NEWS"], "opted_out": ["1"], "was_opted_out": ["1"],
    }  # fmt: skip
    row = person(ann.brand, "ann-secret")
    assert (row.js_markers, row.user_opt_out, row.platform_opt_out) == (["NEWS", "VIP"], True, False)
    proofs = ConsentRecord.objects.order_by("pk")
    assert list(proofs.values_list("subject", "answer", "markers")) == [
        ("preferences", "saved", ["NEWS"]),
        ("opt_out", "opted_out", []),
    ]
    assert proofs[0].origin == settings.SMARTPUSH_PUBLIC_URL
    assert proofs[0].language == "en"


def test_a_post_that_is_not_the_form_changes_nothing_and_says_so(address, ann):
    response = saved(address, {})
    assert response.status_code == 400
    assert TEXTS["en"].failed in response.content.decode()
    assert person(ann.brand, "ann-secret").js_markers == ["SPORTS", "VIP"]
    assert not ConsentRecord.objects.exists()


def test_an_old_page_does_not_undo_an_opt_out_made_since(address, ann):
    form = form_of(opened(address).content.decode())
    EndUser.objects.update(user_opt_out=True)
    saved(address, form)
    assert person(ann.brand, "ann-secret").user_opt_out


def test_what_the_page_did_not_show_stays(address, ann, categories):
    form = form_of(opened(address).content.decode()) | {"category": ["NEWS", "OFFERS", "VIP", "ADMIN"]}
    category_create(brand=ann.brand, name="Offers")
    category_archive(category=categories[1], now=utc_now())
    saved(address, form)
    assert person(ann.brand, "ann-secret").js_markers == ["NEWS", "SPORTS", "VIP"]


def test_too_many_markers_are_refused_kindly(address, ann):
    form = form_of(opened(address).content.decode()) | {"category": ["NEWS", "SPORTS"]}
    EndUser.objects.update(js_markers=[f"M{n}" for n in range(200)])
    response = saved(address, form)
    assert response.status_code == 400
    assert TEXTS["en"].failed in response.content.decode()
    assert not ConsentRecord.objects.exists()


def test_the_platforms_opt_out_is_not_shown_and_not_changed(address, ann):
    EndUser.objects.update(platform_opt_out=True)
    form = form_of(opened(address).content.decode())
    assert "opted_out" not in form
    saved(address, form | {"was_opted_out": ["1"]})
    assert person(ann.brand, "ann-secret").platform_opt_out


def test_a_link_is_over_after_a_day(address, time_machine):
    time_machine.move_to(utc_now() + timedelta(hours=24, seconds=1))
    response = opened(address)
    assert response.status_code == 410
    assert TEXTS["en"].expired_title in response.content.decode()
    assert saved(address, {"shown": ["NEWS"], "category": ["NEWS"]}).status_code == 410
    assert not ConsentRecord.objects.exists()


def test_a_link_of_somebody_who_is_gone_is_over(page):
    page.session()
    number = page.device.session_end_user_id
    token = preference_token(number + 10_000, utc_now() + timedelta(hours=1))
    assert opened(f"/p/{token}").status_code == 410
    end_user_remove_merged(source_id=number + 10_000)


def test_a_link_that_was_not_made_here_opens_nothing(address, ann, client):
    token = address.rsplit("/", 1)[1]
    swapped = token[:20] + ("A" if token[20] != "A" else "B") + token[21:]
    other = preference_token(1, utc_now() + timedelta(days=1))
    for wrong in (
        swapped, token[:-1], token + "A", token[:16] + other[16:], other[:16] + token[16:], "x", "%00", "é" * 44,
        report_token(1, utc_now().date()), ann.installation["id"],
    ):  # fmt: skip
        response = client.get(f"/p/{wrong}")
        assert response.status_code == 404, wrong
        assert TEXTS["en"].unknown_title in response.content.decode()
        assert response["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("one_minute")
def test_too_many_calls_are_asked_to_wait(address, settings):
    settings.SMARTPUSH_LIMITS = settings.SMARTPUSH_LIMITS | {"preferences_per_address": 2}
    assert [opened(address).status_code for _ in range(3)] == [200, 200, 429]
    response = opened(address)
    assert 0 < int(response["Retry-After"]) <= 60


@pytest.mark.parametrize(
    ("query", "known", "accepted", "language", "direction", "news"),
    [
        ("", "", "", "en", "ltr", "News"),
        ("", "el-GR", "de", "el", "ltr", "Νέα"),
        ("?lang=he", "el", "de", "he", "rtl", "News"),
        ("", "", "ar-EG,en;q=0.5", "ar", "rtl", "News"),
        ("", "zz", "pt-BR", "pt", "ltr", "News"),
        ("", "iw-IL", "de", "he", "rtl", "News"),
        ("", "ell", "de", "el", "ltr", "Νέα"),
        ("", "de_AT.UTF-8", "", "de", "ltr", "News"),
        ("", "nb", "C,fr-CA;q=0.8", "fr", "ltr", "News"),
        ("?lang=%3Cscript%3E", "", "xx", "en", "ltr", "News"),
    ],
)
def test_it_speaks_the_end_users_language(address, query, known, accepted, language, direction, news):
    EndUser.objects.update(language=known)
    html = opened(address + query, accept_language=accepted).content.decode()
    assert f'<html lang="{language}" dir="{direction}">' in html
    assert TEXTS[language].save in html
    assert f"<b>{news}" in html


def test_every_language_says_everything():
    for code, texts in TEXTS.items():
        assert all(getattr(texts, name) for name in texts.__slots__), code
        assert "{brand}" in texts.title


def test_after_logout_the_link_is_the_visitors(ann, settings):
    ann.call("logout")
    number, _ = read_preference_token(ann.call("preferences/link")["url"].rsplit("/", 1)[1])
    assert EndUser.objects.get(pk=number).anonymous


@pytest.mark.parametrize("body", [b"\xff\xfe", b"--x\r\nbroken", b"shown=NEWS&category=\x00"])
@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded; charset=rot13", "multipart/form-data; boundary=x"]
)
def test_no_body_breaks_it(address, body, kind):
    response = Client(raise_request_exception=False).generic("POST", address, body, content_type=kind)
    assert response.status_code == 400
    assert TEXTS["en"].failed in response.content.decode()
    assert not ConsentRecord.objects.exists()
