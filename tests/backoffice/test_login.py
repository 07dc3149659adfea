"""Who gets in, with what, and what the pages may load."""

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from tests.backoffice.world import PASSWORD, staff

pytestmark = pytest.mark.django_db


def _login(client, password=PASSWORD, **more):
    return client.post(reverse("admin:login"), {"username": "ann", "password": password, **more})


def _code(device):
    return f"{totp(device.bin_key, step=device.step, t0=device.t0, digits=device.digits):06d}"


def test_a_password_lets_staff_in_and_leads_to_the_overview():
    staff(name="ann")
    response = _login(Client())
    assert (response.status_code, response.url) == (302, reverse("admin:index"))


def test_somebody_who_is_not_staff_stays_out():
    user = staff(name="ann")
    user.is_staff = False
    user.save()
    client = Client()
    assert _login(client).status_code == 200
    assert client.get(reverse("admin:index")).status_code == 302


def test_too_many_wrong_passwords_lock_the_account_out_for_that_address():
    staff(name="ann")
    client = Client()
    answers = [_login(client, "wrong").status_code for _ in range(settings.AXES_FAILURE_LIMIT)]
    assert answers[0] == 200
    locked = _login(client)
    assert locked.status_code == 429
    assert "Too many wrong passwords" in locked.content.decode()
    assert "for 15 minutes" in locked.content.decode()
    assert "'unsafe-eval'" in _directive(locked, "script-src")  # else the layout's overlays cover the words
    assert AccessAttempt.objects.get().failures_since_start >= settings.AXES_FAILURE_LIMIT


def test_one_password_tried_on_many_names_locks_the_address_and_no_other_address(monkeypatch):
    monkeypatch.setattr("smartpush.backoffice.access.lockout.ADDRESS_FAILURES", 12)
    staff(name="ann")
    client, colleague = Client(), Client(REMOTE_ADDR="203.0.113.9")
    answers = [
        client.post(reverse("admin:login"), {"username": f"name{number}", "password": "Summer2026!"}).status_code
        for number in range(12)
    ]
    assert answers[:11] == [200] * 11
    assert _login(client).status_code == 429
    assert _login(colleague).status_code == 302


def test_some_wrong_passwords_of_colleagues_lock_nobody_else_out():
    staff(name="ann")
    client = Client()
    for number in range(3):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            client.post(reverse("admin:login"), {"username": f"colleague{number}", "password": "wrong"})
    assert _login(client).status_code == 302


def test_with_an_authenticator_app_the_password_alone_is_not_enough():
    device = TOTPDevice.objects.create(user=staff(name="ann"), name="phone", confirmed=True)
    client = Client()
    assert "asks for a code" in _login(client).content.decode()
    assert "does not fit" in _login(client, otp_token="000000" if _code(device) != "000000" else "1").content.decode()
    assert client.get(reverse("admin:index")).status_code == 302
    device.refresh_from_db()
    device.throttle_reset()
    device.save()
    assert _login(client, otp_token=_code(device)).status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200


def test_a_wrong_password_is_refused_before_any_code_is_looked_at():
    device = TOTPDevice.objects.create(user=staff(name="ann"), name="phone", confirmed=True)
    page = _login(Client(), "wrong", otp_token=_code(device)).content.decode()
    assert "asks for a code" not in page
    device.refresh_from_db()
    assert device.last_t == -1


def test_staff_set_up_two_step_login_themselves_and_the_key_is_shown_only_before():
    user = staff(name="ann")
    client = Client()
    _login(client)
    page = client.get(reverse("admin:two_step"))
    device = TOTPDevice.objects.get(user=user)
    assert page.context["secret"] in page.content.decode()
    assert not device.confirmed
    assert client.post(reverse("admin:two_step"), {"code": "1"}).status_code == 200
    device.refresh_from_db()
    device.throttle_reset()
    device.save()
    assert client.post(reverse("admin:two_step"), {"code": _code(device)}).status_code == 302
    device.refresh_from_db()
    assert device.confirmed
    assert client.get(reverse("admin:two_step")).context["secret"] == ""


def test_the_back_office_has_its_relaxed_policy_and_nothing_else_does(client, ours, client_of):
    for response in (
        client.get(reverse("admin:login")),
        client_of(ours.brand).get(reverse("admin:index")),
    ):
        scripts = _directive(response, "script-src")
        assert "'unsafe-eval'" in scripts
        assert "https:" not in scripts
        assert _directive(response, "frame-ancestors") == "frame-ancestors 'self'"
    outside = client.get("/nowhere-at-all/")
    assert _directive(outside, "script-src") == "script-src 'self'"


def _directive(response, name):
    policy = response.headers["Content-Security-Policy"]
    return next(part.strip() for part in policy.split(";") if part.strip().startswith(name))


def test_losing_the_membership_ends_the_access_at_once(ours, client_of):
    client = client_of(ours.brand)
    assert client.get(reverse("admin:devices_enduser_changelist")).status_code == 200
    ours.brand.memberships.all().delete()
    assert client.get(reverse("admin:devices_enduser_changelist")).status_code == 403
