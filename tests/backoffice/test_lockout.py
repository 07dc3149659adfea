"""A lock keeps out whoever guesses, and nobody else: behind proxies, on shared addresses, from many addresses."""

import pytest
import time_machine
from axes.models import AccessAttempt
from django.conf import settings as configured
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from smartpush.backoffice.access import lockout
from smartpush.backoffice.access.known_browsers import COOKIE
from tests.backoffice.world import PASSWORD, staff

pytestmark = pytest.mark.django_db

PROXY = "10.0.0.1"
LIMIT = configured.AXES_FAILURE_LIMIT


@pytest.fixture
def behind_a_proxy(settings):
    settings.SMARTPUSH_TRUSTED_PROXIES = 1


def by_proxy(address):
    return Client(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=address)


def login(client, name="ann", password=PASSWORD, **more):
    return client.post(reverse("admin:login"), {"username": name, "password": password, **more})


def leave(client):
    """Log out as people do: the test client's own `logout` throws every cookie away."""
    client.post(reverse("admin:logout"))


def guess(client, times, name="ann"):
    return [login(client, name, "wrong").status_code for _ in range(times)]


def guess_many_names(client, times):
    return [login(client, f"name{number}", "Summer2026!").status_code for number in range(times)]


def code_of(device):
    return f"{totp(device.bin_key, step=device.step, t0=device.t0, digits=device.digits):06d}"


@pytest.mark.usefixtures("behind_a_proxy")
def test_behind_a_proxy_an_address_that_guesses_many_names_locks_only_itself():
    staff(name="ann")
    stranger = by_proxy("203.0.113.66")
    assert guess_many_names(stranger, lockout.ADDRESS_FAILURES + 1)[-1] == 429
    assert login(by_proxy("203.0.113.66")).status_code == 429
    assert login(by_proxy("203.0.113.7")).status_code == 302


@pytest.mark.usefixtures("behind_a_proxy")
def test_behind_a_proxy_an_address_that_guesses_one_name_locks_that_name_only_for_itself():
    staff(name="ann")
    staff(name="bob")
    assert guess(by_proxy("203.0.113.66"), LIMIT)[-1] == 429
    assert login(by_proxy("203.0.113.66")).status_code == 429
    assert login(by_proxy("203.0.113.66"), "bob").status_code == 302
    assert login(by_proxy("203.0.113.7")).status_code == 302


@pytest.mark.usefixtures("behind_a_proxy")
def test_made_up_hops_and_ports_give_a_guesser_no_new_address():
    staff(name="ann")
    answers = [
        login(by_proxy(f"198.51.100.{number}, 203.0.113.66:{50_000 + number}"), password="wrong").status_code
        for number in range(LIMIT)
    ]
    assert answers == [200] * (LIMIT - 1) + [429]


@pytest.mark.usefixtures("behind_a_proxy")
def test_the_addresses_of_one_ipv6_network_are_one_guesser():
    staff(name="ann")
    answers = [login(by_proxy(f"2001:db8:1:2:{number:x}::1"), password="wrong").status_code for number in range(LIMIT)]
    assert answers[-1] == 429
    assert login(by_proxy("2001:db8:1:3::1")).status_code == 302


def test_a_proxy_that_nobody_told_us_of_never_locks_everybody():
    staff(name="ann")
    answers = guess_many_names(by_proxy("203.0.113.66"), lockout.ADDRESS_FAILURES + 5)
    assert 429 not in answers
    assert login(by_proxy("203.0.113.7")).status_code == 302


def test_behind_an_untold_proxy_one_name_is_slowed_for_strangers_and_open_to_its_owners_browser():
    staff(name="ann")
    own = by_proxy("203.0.113.7")
    assert login(own).status_code == 302
    leave(own)
    assert guess(by_proxy("203.0.113.66"), LIMIT)[-1] == 429
    assert login(by_proxy("203.0.113.66")).status_code == 429
    assert login(own).status_code == 302


def test_a_colleague_on_the_same_address_cannot_lock_a_browser_out_that_its_owner_has_used():
    staff(name="ann")
    own = Client()
    login(own)
    leave(own)
    guess(Client(), LIMIT)
    guess_many_names(Client(), lockout.ADDRESS_FAILURES)
    assert login(Client()).status_code == 429
    assert login(own).status_code == 302


def test_guesses_from_many_addresses_are_slowed_and_the_owners_browser_is_let_in(monkeypatch):
    monkeypatch.setattr(lockout, "NAME_FAILURES", 12)
    staff(name="ann")
    staff(name="bob")
    own = Client(REMOTE_ADDR="203.0.113.7")
    login(own)
    leave(own)
    answers = [guess(Client(REMOTE_ADDR=f"198.51.100.{number}"), 1)[0] for number in range(13)]
    assert answers == [200] * 11 + [429] * 2
    assert login(Client(REMOTE_ADDR="198.51.100.99")).status_code == 429
    assert login(own).status_code == 302
    assert login(Client(REMOTE_ADDR="198.51.100.1"), "bob").status_code == 302


def test_a_known_browser_has_the_same_few_tries_for_its_name_and_takes_nobody_with_it():
    staff(name="ann")
    staff(name="bob")
    own = Client()
    login(own)
    leave(own)
    answers = guess(own, LIMIT)
    assert answers == [200] * (LIMIT - 1) + [429]
    page = login(own)
    assert page.status_code == 429
    assert "in this browser" in page.content.decode()
    assert login(Client()).status_code == 302, "another browser of hers has tries of its own"
    assert login(own, "bob").status_code == 302, "a browser is known only to those who logged in in it"


@pytest.mark.parametrize("forged", ["", "x", "eyJpZCI6IjEifQ:1abc:zzz"])
def test_a_made_up_cookie_or_user_agent_gives_no_further_tries(forged):
    staff(name="ann")
    own = Client()
    login(own)
    leave(own)
    guess(own, 1)
    known = AccessAttempt.objects.get(username="ann").user_agent
    assert known.startswith("known:")
    for number in range(LIMIT):
        stranger = Client(REMOTE_ADDR="203.0.113.66", HTTP_USER_AGENT=known if number % 2 else f"known:{number}")
        stranger.cookies[COOKIE] = forged
        answer = guess(stranger, 1)[0]
    assert answer == 429
    assert guess(own, 1) == [200]


def test_somebody_elses_cookie_is_no_key_to_a_name():
    staff(name="ann")
    staff(name="eve")
    eve = Client()
    login(eve, "eve")
    leave(eve)
    assert guess(eve, LIMIT)[-1] == 429
    assert AccessAttempt.objects.filter(user_agent__startswith="known:").count() == 0


def test_the_cookie_cannot_be_read_by_pages_or_sent_by_other_sites():
    staff(name="ann")
    client = Client()
    login(client)
    cookie = client.cookies[COOKIE]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"]) == ("Lax", reverse("admin:index"))
    assert "ann" not in cookie.value


def test_trying_while_locked_out_does_not_lengthen_the_wait():
    staff(name="ann")
    with time_machine.travel("2026-11-30T12:00:00Z", tick=False) as clock:
        guess(Client(), LIMIT)
        clock.shift(14 * 60)
        page = login(Client())
        assert page.status_code == 429
        assert page["Retry-After"] == "900"
        assert "for 15 minutes" in page.content.decode()
        clock.shift(61)
        assert login(Client()).status_code == 302


def test_an_operator_ends_a_wait():
    staff(name="ann")
    for command in (["axes_reset"], ["axes_reset_username", "ann"], ["axes_reset_ip", "127.0.0.1"]):
        guess(Client(), LIMIT)
        assert login(Client()).status_code == 429
        call_command(*command)
        assert login(Client()).status_code == 302


# --- codes ---
def test_wrong_codes_lock_the_guesser_out_like_wrong_passwords():
    device = TOTPDevice.objects.create(user=staff(name="ann"), name="phone", confirmed=True)
    with time_machine.travel("2026-11-30T12:00:00Z", tick=False) as clock:
        for _ in range(LIMIT):
            last = login(Client(), otp_token="1").status_code
            clock.shift(100)
    assert last == 429
    device.refresh_from_db()
    assert device.throttling_failure_count == LIMIT


def test_without_the_password_nobody_makes_an_account_wait_for_its_codes():
    device = TOTPDevice.objects.create(user=staff(name="ann"), name="phone", confirmed=True)
    for _ in range(LIMIT + 2):
        login(Client(), password="wrong", otp_token="1")
    device.refresh_from_db()
    assert device.throttling_failure_count == 0


def test_wrong_codes_with_a_stolen_password_do_not_keep_the_owners_browser_out():
    device = TOTPDevice.objects.create(user=staff(name="ann"), name="phone", confirmed=True)
    own = Client(REMOTE_ADDR="203.0.113.7")
    with time_machine.travel("2026-11-30T12:00:00Z", tick=False) as clock:
        assert login(own, otp_token=code_of(device)).status_code == 302
        leave(own)
        clock.shift(60)
        login(Client(), otp_token="1")
        waiting = login(Client(REMOTE_ADDR="203.0.113.8"), otp_token=code_of(device))
        assert "none is looked at for 1 second." in waiting.content.decode()
        assert login(own, otp_token=code_of(device)).status_code == 302


# --- the notice ---
def test_admins_are_told_of_a_proxy_that_is_not_accounted_for_and_others_are_not(ours, client_of, settings):
    told = "SMARTPUSH_TRUSTED_PROXIES"
    admin, viewer = client_of(ours.brand), client_of(ours.brand, "viewer", name="vera")
    headers = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": "203.0.113.7"}
    page = admin.get("/admin/", **headers).content.decode()
    assert told in page
    assert f"All callers look like {PROXY}" in page
    assert told not in viewer.get("/admin/", **headers).content.decode()
    assert told not in admin.get("/admin/").content.decode()
    settings.SMARTPUSH_TRUSTED_PROXIES = 1
    assert told not in admin.get("/admin/", **headers).content.decode()
