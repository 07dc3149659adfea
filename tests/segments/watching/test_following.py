"""Memberships follow the person: a merge is no entry, and nothing is kept of an erased person."""

from datetime import timedelta

import pytest

from devices.models import EndUser
from segments.models import MembershipChange, SegmentMembership
from segments.services.membership_merging import memberships_erase, memberships_merge
from segments.services.watching import changed_people_evaluate
from smartpush.api.server.flows import user_erase, users_merge
from tests.campaigns.world import NOW, World, later
from tests.segments.watching.watched import VIP, changes, inside, watched_segment


def enter(person: EndUser, *, second: float, markers: tuple[str, ...] = ("VIP",)) -> None:
    EndUser.objects.filter(pk=person.pk).update(js_markers=list(markers))
    changed_people_evaluate(now=later(second))


def untold(segment) -> list[tuple[int, str]]:
    found = MembershipChange.objects.filter(segment=segment, taken_at=None).order_by("pk")
    return list(found.values_list("end_user_id", "kind"))


def merge(world: World, source: EndUser, target: EndUser) -> None:
    users_merge(brand=world.brand, external_id=source.external_id, into=target.external_id, now=later(9))
    changed_people_evaluate(now=later(10))


def test_a_survivor_who_is_inside_because_the_other_was_did_not_enter(world):
    ann, ben = world.end_user(), world.end_user()
    segment = watched_segment(world.brand, VIP)
    enter(ann, second=1)
    MembershipChange.objects.update(taken_at=later(1))
    merge(world, ann, ben)
    assert inside(segment) == {ben.pk}
    assert (changes(segment), untold(segment)) == ([(ben.pk, "entered", 1)], [])
    enter(ben, second=11, markers=())
    assert untold(segment) == [(ben.pk, "left")]


def test_what_nobody_was_told_yet_is_told_of_the_survivor(world):
    ann, ben = world.end_user(), world.end_user()
    segment = watched_segment(world.brand, VIP)
    enter(ann, second=1)
    merge(world, ann, ben)
    assert untold(segment) == [(ben.pk, "entered")]


def test_a_survivor_who_was_inside_does_not_enter_again(world):
    ann, ben = world.end_user(), world.end_user(js_markers=["VIP"])
    segment = watched_segment(world.brand, VIP)
    enter(ann, second=1)
    merge(world, ann, ben)
    assert untold(segment) == []
    enter(ben, second=11, markers=())
    assert untold(segment) == [(ben.pk, "left")]


@pytest.mark.parametrize("stays", [1, 2, 3])
def test_stays_of_both_never_share_a_number(world, stays):
    ann, ben = world.end_user(), world.end_user()
    segment = watched_segment(world.brand, VIP)
    for second in range(stays):
        for person in (ann, ben):
            enter(person, second=second)
            enter(person, second=second, markers=())
    enter(ben, second=8)
    merge(world, ann, ben)
    enter(ben, second=11, markers=())
    enter(ben, second=12)
    found = changes(segment)
    assert {person for person, _, _ in found} == {ben.pk}
    assert len(found) == 2 * stays * 2 + 3
    assert found[-1][1] == "entered" and found[-1][2] == max(epoch for _, _, epoch in found)


def test_the_other_watched_segments_are_checked_by_what_the_survivor_is_now(world):
    ann, ben = world.end_user(country="DE"), world.end_user(js_markers=["VIP"])
    both = {"all": [VIP, {"field": "country", "operator": "is", "value": "DE"}]}
    segment = watched_segment(world.brand, both)
    merge(world, ben, ann)
    ann.refresh_from_db()
    assert ann.js_markers == ["VIP"]
    assert changes(segment) == [(ann.pk, "entered", 1)]


def test_nothing_is_kept_of_an_erased_person(world):
    ann = world.end_user()
    watched_segment(world.brand, VIP)
    enter(ann, second=1)
    user_erase(brand=world.brand, external_id=ann.external_id, now=NOW + timedelta(minutes=1))
    changed_people_evaluate(now=later(90))
    assert not MembershipChange.objects.exists() and not SegmentMembership.objects.exists()


def test_a_person_without_memberships_costs_nothing_and_leaves_nothing(world):
    ann, ben = world.end_user(), world.end_user(js_markers=["VIP"])
    segment = watched_segment(world.brand, VIP)
    memberships_merge(source_id=ann.pk, target_id=ben.pk)
    assert inside(segment) == {ben.pk}
    memberships_erase(end_user_id=ann.pk)
    assert inside(segment) == {ben.pk}
