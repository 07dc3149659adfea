"""Whom a push reaches is written once, and each of its forms means the same."""

import re

import pytest
from django.db import connection

from devices.delivery.selectors.reach import (
    device_reaches_sql,
    pair_allows_sql,
    pair_device_sql,
    pair_is_reached,
    reached_pairs,
)
from devices.models import Device, PushStatus
from tests.checks.sources import ROOT, product_sources
from tests.segments.population import populate

_LIVE = r"""token_hash(?: IS NOT NULL|__isnull=False| is not None| and\b|", flat)"""
_ALLOWED = r"""status (?:=|<>|IS DISTINCT FROM) 'allowed'|status=Status\.ALLOWED|status == Status\.ALLOWED"""
_SPELLED = re.compile(rf"(?:{_LIVE})(?s:.{{0,250}}?)(?:{_ALLOWED})|(?:{_ALLOWED})(?s:.{{0,250}}?)(?:{_LIVE})")


def _ids(text: str) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(text)
        return {row[0] for row in cursor.fetchall()}


@pytest.mark.django_db
def test_every_form_finds_the_same_pairs():
    brand = populate(seed=5, end_users=80)
    pairs = list(PushStatus.objects.filter(brand=brand).select_related("device"))
    reached = {pair.pk for pair in pairs if pair_is_reached(pair=pair)}
    others = [pair for pair in pairs if pair.status == "allowed" and pair.device.token_hash and pair.pk not in reached]
    assert reached and others  # allowed pairs with a live token that somebody else holds
    assert set(reached_pairs().values_list("pk", flat=True)) == reached
    joined = f"{pair_device_sql(pair='p', device='d')} AND {pair_allows_sql(pair='p')}"
    assert _ids(f"SELECT p.id FROM devices_pushstatus p JOIN devices_device d ON {joined}") == reached
    probed = device_reaches_sql(device="v", end_user="u.id")
    devices = {pair.device_id for pair in pairs if pair.pk in reached}
    assert _ids(f"SELECT v.id FROM devices_enduser u JOIN devices_device v ON {probed}") == devices
    assert Device.objects.filter(pk__in=devices).count() == len(devices)


def test_no_other_file_spells_it():
    found = {
        str(path.relative_to(ROOT))
        for path, text in product_sources(".py")
        if "migrations" not in path.parts and _SPELLED.search(text)
    }
    assert found == {
        "devices/delivery/selectors/reach.py",
        "devices/lifecycle/status_reports.py",  # asks whether who holds a device without a live token ever allowed
    }
