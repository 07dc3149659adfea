"""Incidents and sending limits in the back office: who sees what, and who may lift a hold."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry

from devices.brands.selectors.incidents import TEXTS
from devices.brands.services.incidents import incident_note
from devices.models import Incident, SendBudget

NOW = datetime.now(UTC)
ORIGIN = "https://push.example"


@pytest.fixture
def held(ours):
    return SendBudget.objects.create(
        brand=ours.brand,
        sender="vapid:1",
        origin=ORIGIN,
        kind="throttled",
        held_at=NOW,
        held_until=NOW + timedelta(hours=1),
        refusals=1,
        last_status=429,
        rate=16.7,
        cycle=60,
    )


def lift_address(budget):
    return f"/admin/devices/sendbudget/{budget.pk}/lift/"


def test_the_overview_lists_open_incidents_of_the_brand_and_of_all(client_of, ours, theirs):
    Incident.objects.all().delete()
    incident_note(kind="service_limits", brand_id=ours.brand.pk, subject=ORIGIN, now=NOW)
    incident_note(kind="service_silent", brand_id=None, subject="https://silent.example", now=NOW)
    incident_note(kind="key_refused", brand_id=theirs.brand.pk, subject="https://theirs.example", now=NOW)
    client = client_of(ours.brand)
    page = client.get("/admin/").content.decode()
    assert f"A push service limits sending: {ORIGIN}" in page
    assert "A push service does not answer: https://silent.example" in page
    assert "theirs.example" not in page
    assert "Nothing is lost" not in page
    Incident.objects.update(until=NOW)
    assert ORIGIN not in client.get("/admin/").content.decode()


@pytest.mark.parametrize("kind", Incident.Kind.values)
def test_an_incident_says_what_it_means_and_what_to_do(client_of, ours, kind):
    incident_note(kind=kind, brand_id=None, subject="somewhere", now=NOW)
    number = Incident.objects.get(subject="somewhere").pk
    page = client_of(ours.brand).get(f"/admin/devices/incident/{number}/change/").content.decode()
    assert TEXTS[kind].means.split("'")[0] in page.replace("&#x27;", "'")
    assert kind not in page.replace(f"/{kind}", "")


def test_an_admin_lifts_a_hold_after_a_question_and_the_history_says_so(client_of, ours, held):
    client = client_of(ours.brand)
    page = client.get(f"/admin/devices/sendbudget/{held.pk}/change/").content.decode()
    assert "Lift the hold" in page and "Held: slow down" in page
    assert "Lift the hold for https://push.example?" in client.get(lift_address(held)).content.decode()
    held.refresh_from_db()
    assert held.kind == "throttled", "looking lifts nothing"
    client.post(lift_address(held))
    held.refresh_from_db()
    assert (held.kind, held.rate) == ("", None)
    entry = LogEntry.objects.get(object_id=str(held.pk))
    assert entry.change_message == "Lifted the hold (Asked us to slow down)."
    assert "Lift the hold" not in client.get(f"/admin/devices/sendbudget/{held.pk}/change/").content.decode()
    client.post(lift_address(held))
    assert LogEntry.objects.filter(object_id=str(held.pk)).count() == 1


@pytest.mark.parametrize("role", ["viewer", "editor", "publisher"])
def test_others_may_not_lift_it(client_of, ours, held, role):
    client = client_of(ours.brand, role)
    assert client.post(lift_address(held)).status_code == 403
    held.refresh_from_db()
    assert held.kind == "throttled"


def test_staff_of_another_brand_find_neither(client_of, theirs, held):
    client = client_of(theirs.brand)
    assert client.post(lift_address(held)).status_code == 404
    held.refresh_from_db()
    assert held.kind == "throttled"
