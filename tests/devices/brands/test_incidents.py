"""Incidents: one row from the beginning of a trouble to its end, whatever number of processes note it."""

from datetime import UTC, datetime, timedelta

import pytest

from devices.brands.selectors.incidents import TEXTS, incidents_open
from devices.brands.services.incidents import incident_end, incident_note, incidents_close_quiet
from devices.lifecycle.brands import brand_create
from devices.models import Incident

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
SILENT, LIMITS = Incident.Kind.SERVICE_SILENT, Incident.Kind.SERVICE_LIMITS


def note(brand=None, *, kind=SILENT, subject="https://push.example", now=NOW, **more):
    incident_note(kind=kind, brand_id=brand and brand.pk, subject=subject, now=now, **more)


def test_noting_again_counts_in_the_open_row_and_keeps_when_it_began():
    note(count=3, detail="timeout")
    note(now=NOW + timedelta(minutes=1))
    (one,) = Incident.objects.all()
    assert (one.count, one.since, one.last_at, one.detail) == (4, NOW, NOW + timedelta(minutes=1), "timeout")


def test_each_brand_kind_and_subject_has_its_own():
    ours, theirs = brand_create(name="Ours"), brand_create(name="Theirs")
    for brand in (None, ours, theirs):
        for kind in (SILENT, LIMITS):
            for subject in ("https://a.example", "https://b.example"):
                note(brand, kind=kind, subject=subject)
    assert Incident.objects.count() == 12
    assert {one.brand_id for one in incidents_open(brand_id=ours.pk)} == {None, ours.pk}


def test_after_its_end_the_same_trouble_is_a_new_incident():
    note()
    assert incident_end(kind=SILENT, brand_id=None, subject="https://push.example", now=NOW + timedelta(minutes=2))
    assert not incident_end(kind=SILENT, brand_id=None, subject="https://push.example", now=NOW)
    note(now=NOW + timedelta(minutes=3))
    assert [one.until for one in Incident.objects.order_by("pk")] == [NOW + timedelta(minutes=2), None]


@pytest.mark.parametrize("kind", Incident.Kind.values)
def test_each_kind_says_what_it_means_and_what_to_do_and_closes_by_itself(kind):
    text = TEXTS[kind]
    assert text.means.endswith(".") and text.do.endswith(".")
    note(kind=kind)
    assert incidents_close_quiet(now=NOW + text.quiet) == 0
    assert incidents_close_quiet(now=NOW + text.quiet + timedelta(seconds=1)) == 1
    assert Incident.objects.get().until == NOW


def test_long_subjects_are_cut_and_still_the_same():
    note(subject="https://" + "x" * 400)
    note(subject="https://" + "x" * 400)
    assert Incident.objects.get().count == 2
