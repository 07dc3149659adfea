"""The queue of end users whose rows changed: whoever wrote them, and only for brands that watch a segment."""

import json

import pytest
from django.db import connection

from devices.lifecycle.users import UserInput, users_upsert
from devices.models import Brand, ChangedEndUser, Device, EndUser, Event, PushStatus
from tests.campaigns.world import NOW, World, later
from tests.segments.watching.conftest import make_world
from tests.segments.watching.watched import deposit, queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world("Shop")


@pytest.fixture
def noticed(world) -> World:
    Brand.objects.filter(pk=world.brand.pk).update(noticed=True)
    return world


def emptied(*people: EndUser) -> None:
    ChangedEndUser.objects.all().delete()


def test_a_brand_that_watches_nothing_queues_nothing(world):
    ann = world.end_user()
    device = world.device(ann)
    EndUser.objects.filter(pk=ann.pk).update(js_markers=["VIP"])
    deposit(world, ann)
    users_upsert(brand_id=world.brand.pk, rows=[UserInput(index=0, external_id="new", language="de")], now=NOW)
    device.delete()
    assert queued() == []


def test_of_one_statement_over_two_brands_only_the_noticed_ones_rows_are_queued(noticed):
    other = make_world("Other")
    ann, ben = noticed.end_user(), other.end_user()
    emptied()
    EndUser.objects.filter(pk__in=[ann.pk, ben.pk]).update(country="DE")
    assert list(ChangedEndUser.objects.values_list("brand_id", "end_user_id")) == [(noticed.brand.pk, ann.pk)]


def test_a_copy_of_end_users_is_noticed(noticed):
    with connection.cursor() as cursor:
        columns = "(brand_id, external_id, language, time_zone, country, properties)"
        with cursor.copy(f"COPY devices_enduser {columns} FROM STDIN") as copy:
            for n in range(3):
                copy.write_row((noticed.brand.pk, f"c{n}", "", "", "", json.dumps({"level": n})))
    assert queued() == sorted(EndUser.objects.values_list("pk", flat=True))


def test_a_copy_of_events_is_noticed_in_every_partition_each_person_once(noticed):
    ann, ben = noticed.end_user(), noticed.end_user()
    emptied()
    with connection.cursor() as cursor:
        columns = "(day, brand_id, end_user_id, name, properties, occurred_at, recorded_at)"
        with cursor.copy(f"COPY devices_event {columns} FROM STDIN") as copy:
            for day in (NOW.date(), NOW.date().replace(year=2019), NOW.date()):
                for person in (ann, ben):
                    copy.write_row((day, noticed.brand.pk, person.pk, "e", "{}", NOW, NOW))
    assert queued() == [ann.pk, ben.pk]
    assert ChangedEndUser.objects.count() == 2


def test_an_event_that_becomes_anothers_is_a_change_of_both(noticed):
    ann, ben = noticed.end_user(), noticed.end_user()
    deposit(noticed, ann)
    emptied()
    Event.objects.filter(end_user=ann).update(end_user=ben)
    assert queued() == [ann.pk, ben.pk]


def test_a_device_that_changes_hands_is_a_change_of_all_who_were_and_are_on_it(noticed):
    ann, ben, eve = noticed.end_user(), noticed.end_user(), noticed.end_user()
    device = noticed.device(ann)
    emptied()
    Device.objects.filter(pk=device.pk).update(holder=ben, session_end_user=eve)
    assert queued() == [ann.pk, ben.pk, eve.pk]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda pair: PushStatus.objects.filter(pk=pair.pk).update(status="blocked"), id="changed"),
        pytest.param(lambda pair: pair.delete(), id="deleted"),
        pytest.param(lambda pair: pair.device.delete(), id="with its device"),
    ],
)
def test_a_push_status_that_changes_is_noticed(noticed, change):
    ann = noticed.end_user()
    device = noticed.device(ann)
    emptied()
    change(PushStatus.objects.get(device=device))
    assert queued() == [ann.pk]


def test_server_upserts_are_noticed(noticed):
    rows = [UserInput(index=n, external_id=f"u{n}", properties={"level": n}) for n in range(3)]
    users_upsert(brand_id=noticed.brand.pk, rows=rows, now=later(1))
    assert queued() == sorted(EndUser.objects.values_list("pk", flat=True))
