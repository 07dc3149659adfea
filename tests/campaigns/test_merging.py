"""A visitor is merged while their journeys go on: by the same page's calls, and by the engine at the same moment."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from campaigns.advance import advance_enrolments
from campaigns.models import Enrolment, EntryGuard
from devices.lifecycle.merging import end_user_merge, merge_finish
from devices.lifecycle.steps import Merge
from devices.models import Delivery, EndUser, PopupOffer
from tests.campaigns.world import NOW, World, delay, flow_of, later, popup, push, stop
from tests.support.races import Held, blocked
from tests.support.references import references


def merge(visitor: EndUser, known: EndUser) -> None:
    with transaction.atomic():
        merging = Merge(visitor, known, later(1))
        end_user_merge(merging)
        merge_finish(merging)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("activity", [push("a1", "a2"), popup("a1", later="a2", allowed="a2")], ids=["push", "popup"])
def test_what_a_step_writes_during_the_merge_goes_along(world: World, activity):
    campaign = world.campaign(flow_of(activity, delay("a2", 3600, "a3"), stop("a3")))
    visitor, known = world.end_user(external_id=None), world.end_user()
    world.device(visitor, status="allowed" if activity["kind"] == "push" else "ask")
    (run,) = world.enter(campaign, visitor)
    step = Held(lambda: advance_enrolments(ids=[run], now=NOW))
    done: list[object] = []

    def other() -> None:
        try:
            merge(visitor, known)
            done.append("merged")
        except Exception as error:
            done.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    blocked(other)
    step.finish()
    thread.join(120)
    assert done == ["merged"]
    assert references(visitor.pk) == {}
    written = Delivery if activity["kind"] == "push" else PopupOffer
    assert written.objects.get().end_user_id == known.pk
    assert Enrolment.objects.get(pk=run).state == "active"


@pytest.mark.django_db(transaction=True)
def test_an_open_run_goes_on_for_the_known_person(world: World):
    campaign = world.campaign(flow_of(delay("a1", 60, "a2"), push("a2", "a3"), stop("a3")))
    visitor, known = world.end_user(external_id=None), world.end_user()
    world.device(visitor)
    (run,) = world.enter(campaign, visitor)
    advance_enrolments(ids=[run], now=NOW)
    merge(visitor, known)
    advance_enrolments(ids=[run], now=NOW + timedelta(seconds=61))
    assert Delivery.objects.get().end_user_id == known.pk
    assert EntryGuard.objects.get().end_user_id == known.pk
    assert world.enter(campaign, known, "again") == []
