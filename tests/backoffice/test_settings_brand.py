"""The brand's settings page: quiet hours, caps, identity mode, opt-outs, and what it refuses."""

from datetime import time

import pytest
from django.urls import reverse

from devices.models import App, FrequencyCap, IdentityKey
from smartpush.common.time.clock import utc_now

pytestmark = pytest.mark.django_db


def _save(client, brand, *, caps=(), **fields):
    app = App.objects.get(brand=brand)
    kept = list(FrequencyCap.objects.filter(brand=brand))
    body = {
        "name": brand.name, "time_zone": "Europe/Athens", "default_language": "en", "logout_policy": "keep",
        "session_minutes": 30, "identity_mode": "off", "quiet_policy": "wait",
        "apps-TOTAL_FORMS": 1, "apps-INITIAL_FORMS": 1, "apps-0-id": app.pk, "apps-0-brand": brand.pk,
        "apps-0-kind": "web", "apps-0-name": "Site", "apps-0-origin": "https://shop.example", "apps-0-bundle_id": "",
        "frequency_caps-TOTAL_FORMS": len(kept) + len(caps), "frequency_caps-INITIAL_FORMS": len(kept),
    }  # fmt: skip
    for number, cap in enumerate(kept):
        body |= {
            f"frequency_caps-{number}-{name}": getattr(cap, name) for name in ("purpose", "scope", "period", "most")
        } | {f"frequency_caps-{number}-id": cap.pk, f"frequency_caps-{number}-brand": brand.pk}
    for number, (purpose, scope, period, most) in enumerate(caps, start=len(kept)):
        body |= {
            f"frequency_caps-{number}-purpose": purpose, f"frequency_caps-{number}-scope": scope,
            f"frequency_caps-{number}-period": period, f"frequency_caps-{number}-most": most,
        }  # fmt: skip
    return client.post(reverse("admin:devices_brand_change", args=[brand.pk]), body | fields)


def test_everything_that_restrains_sending_is_set_here_and_kept_in_the_history(ours, client_of):
    response = _save(
        client_of(ours.brand),
        ours.brand,
        caps=[("marketing", "end_user", "week", 3), ("operational", "brand", "hour", 5000)],
        quiet_from="21:00", quiet_until="08:00", quiet_policy="skip", operational_ignores_opt_out="on",
        logout_policy="stop", session_minutes=10, default_language="el",
    )  # fmt: skip
    assert response.status_code == 302
    ours.brand.refresh_from_db()
    brand = ours.brand
    assert (brand.quiet_from, brand.quiet_until, brand.quiet_policy) == (time(21), time(8), "skip")
    assert (brand.operational_ignores_opt_out, brand.logout_policy, brand.session_minutes) == (True, "stop", 10)
    assert brand.default_language == "el"
    assert sorted(brand.frequency_caps.values_list("purpose", "scope", "period", "most")) == [
        ("marketing", "end_user", "day", 1000),
        ("marketing", "end_user", "week", 3),
        ("operational", "brand", "hour", 5000),
    ]
    assert brand.history.latest().history_user.username == "ann"


@pytest.mark.parametrize(
    "fields",
    [
        {"quiet_from": "21:00", "quiet_until": ""},
        {"quiet_from": "", "quiet_until": "08:00"},
        {"quiet_from": "08:00", "quiet_until": "08:00"},
    ],
)
def test_quiet_hours_have_a_beginning_and_another_end(ours, client_of, fields):
    page = _save(client_of(ours.brand), ours.brand, **fields)
    assert page.status_code == 200
    assert "Quiet hours need a beginning and another end" in page.content.decode()


@pytest.mark.parametrize("cap", [("marketing", "end_user", "day", 5), ("marketing", "end_user", "week", 0)])
def test_a_cap_is_set_once_and_lets_at_least_one_message_through(ours, client_of, cap):
    assert _save(client_of(ours.brand), ours.brand, caps=[cap]).status_code == 200
    assert FrequencyCap.objects.filter(brand=ours.brand).count() == 1


def test_enforcing_identity_needs_a_key_that_is_not_revoked(ours, client_of):
    client = client_of(ours.brand)
    IdentityKey.objects.filter(brand=ours.brand).update(revoked_at=utc_now())
    page = _save(client, ours.brand, identity_mode="enforce")
    assert page.status_code == 200
    assert "Without an identity key" in page.content.decode()
    assert _save(client, ours.brand, identity_mode="observe").status_code == 302
    IdentityKey.objects.filter(brand=ours.brand).update(revoked_at=None)
    assert _save(client, ours.brand, identity_mode="enforce").status_code == 302
    ours.brand.refresh_from_db()
    assert ours.brand.identity_mode == "enforce"


def test_another_brands_identity_key_does_not_count(ours, theirs, client_of):
    IdentityKey.objects.filter(brand=ours.brand).delete()
    assert IdentityKey.objects.filter(brand=theirs.brand).exists()
    assert _save(client_of(ours.brand), ours.brand, identity_mode="enforce").status_code == 200


def test_an_unknown_time_zone_or_language_is_refused(ours, client_of):
    client = client_of(ours.brand)
    assert _save(client, ours.brand, time_zone="Mars/Olympus").status_code == 200
    assert _save(client, ours.brand, default_language="<b>").status_code == 200


def test_only_admins_see_fields_to_change(ours, client_of):
    page = client_of(ours.brand, "publisher").get(reverse("admin:devices_brand_change", args=[ours.brand.pk]))
    assert 'name="quiet_from"' not in page.content.decode()
    assert "you need the role Admin" in page.content.decode()
