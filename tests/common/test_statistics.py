"""A bulk load leaves stale statistics; they are refreshed once, before a large statement needs them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from devices.models import Brand, EndUser
from smartpush.common.database.statistics import statistics_refresh


def changed_since_analyse(at_least: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT n_mod_since_analyze FROM pg_stat_user_tables WHERE relname = 'devices_enduser'")
        return cursor.fetchone()[0] >= at_least


@contextmanager
def autovacuum_off(table: str) -> Iterator[None]:
    """Otherwise the server itself may analyse the table at any moment."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} RESET (autovacuum_enabled)")


@pytest.mark.django_db(transaction=True)
def test_a_table_is_analysed_after_a_bulk_load_and_not_again():
    brand = Brand.objects.create(name="Loaded")
    statistics_refresh(tables=["devices_enduser"])
    with autovacuum_off("devices_enduser"):
        _load_and_refresh(brand)


def _load_and_refresh(brand: Brand) -> None:
    EndUser.objects.bulk_create(EndUser(brand=brand, external_id=f"u{n}") for n in range(2000))
    deadline = time.monotonic() + 60
    while not changed_since_analyse(2000):
        assert time.monotonic() < deadline
    assert statistics_refresh(tables=["devices_enduser", "devices_brand"]) == ["devices_enduser"]
    assert statistics_refresh(tables=["devices_enduser"]) == []
