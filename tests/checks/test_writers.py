"""No app writes another's table, except through a statement that the app below exports."""

import re
from collections.abc import Iterator

from django.apps import apps

from tests.checks.sources import ROOT, product_sources

_WRITES = re.compile(
    r"\b(?:INSERT INTO|UPDATE(?: ONLY)?|DELETE FROM|COPY|TRUNCATE)\s+((devices|segments|assets|campaigns)_[a-z]+)", re.I
)
_READS = re.compile(r"\b(?:FROM|JOIN|USING)\s+((devices|segments|assets|campaigns)_[a-z]+)", re.I)
_ORM = re.compile(
    r"\b([A-Z]\w+)\.(?:objects|_default_manager)[^\n]*?"
    r"\.(?:update|delete|create|bulk_create|bulk_update|get_or_create|update_or_create)\("
)
# It makes up a past for the demo, and takes it away again.
_DEMO = "smartpush/demo/"
# Tables of lower apps that statements of an app read, by key or within the brand. A new one is a decision.
READS = {
    "campaigns": {
        "devices_brand",
        "devices_changedenduser",
        "devices_delivery",
        "devices_deliverychunk",
        "devices_device",
        "devices_dispatch",
        "devices_enduser",
        "devices_popupoffer",
        "devices_tokenholding",
        "segments_passage",
        "segments_presence",
        "segments_segment",
    },
    "segments": {
        "devices_brand",
        "devices_changedenduser",
        "devices_device",
        "devices_enduser",
        "devices_event",
        "devices_pushstatus",
    },
}


def _sources() -> Iterator[tuple[str, str, str]]:
    """(app, path, source) of the product's modules that run today."""
    for path, source in product_sources(".py"):
        name = str(path.relative_to(ROOT))
        if "/migrations/" not in name and not name.startswith(_DEMO):
            yield name.split("/")[0], name, source


def _owners() -> dict[str, str]:
    """Our models by name, with their app."""
    return {
        model.__name__: config.label
        for config in apps.get_app_configs()
        if config.label in {"devices", "segments", "assets", "campaigns"}
        for model in config.get_models()
    }


def writes_of_others(app: str, source: str) -> list[str]:
    """What the source of a module of `app` writes that is another app's."""
    owners = _owners()
    by_sql = [table for table, owner in _WRITES.findall(source) if owner.lower() != app]
    by_orm = [model for model in _ORM.findall(source) if owners.get(model, app) != app]
    return by_sql + by_orm


def test_no_app_writes_the_table_of_another():
    found = {name: tables for app, name, source in _sources() if (tables := writes_of_others(app, source))}
    assert found == {}


def test_such_a_write_is_found():
    assert writes_of_others("campaigns", "UPDATE devices_device SET x = 1") == ["devices_device"]
    assert writes_of_others("segments", "delete from devices_changedenduser c") == ["devices_changedenduser"]
    assert writes_of_others("campaigns", "Delivery.objects.filter(pk=1).update(state=2)") == ["Delivery"]
    assert writes_of_others("devices", "UPDATE devices_device SET x = 1; Delivery.objects.create()") == []


def test_tables_of_other_apps_are_read_where_this_list_says_so():
    found: dict[str, set[str]] = {}
    for app, _, source in _sources():
        for table, owner in _READS.findall(source):
            if owner.lower() != app and app != "smartpush":
                found.setdefault(app, set()).add(table.lower())
    assert found == READS
