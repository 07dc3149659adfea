"""`manage.py audit` knows what may not be among memberships and membership changes."""

import pytest

from campaigns.selectors.audit import audit
from devices.models import Brand, EndUser
from segments.models import MembershipChange, SegmentMembership
from segments.services.watching import changed_people_evaluate
from tests.campaigns.world import later
from tests.segments.watching.watched import VIP, watched_segment


def found(*, settled: bool = False) -> set[str]:
    return {finding.check for finding in audit(now=later(3600), settled=settled) if finding.count}


@pytest.fixture
def entered(world):
    ann = world.end_user()
    segment = watched_segment(world.brand, VIP)
    EndUser.objects.filter(pk=ann.pk).update(js_markers=["VIP"])
    changed_people_evaluate(now=later(1))
    return ann, segment


def test_nothing_is_wrong_after_an_entry_that_campaigns_were_told_of(entered):
    assert found() == set()
    assert found(settled=True) == {"membership changes that campaigns have not taken"}
    MembershipChange.objects.update(taken_at=later(2))
    assert found(settled=True) == set()


def test_what_is_wrong_is_found(entered, other_world):
    ann, segment = entered
    Brand.objects.filter(pk=segment.brand_id).update(noticed=False)
    SegmentMembership.objects.filter(end_user=ann).update(end_user=other_world.end_user().pk)
    MembershipChange.objects.create(segment=segment, end_user_id=ann.pk + 10**6, epoch=1, kind="entered", at=later(1))
    SegmentMembership.objects.create(segment=segment, end_user=ann, inside=False, epoch=0, changed_at=later(1))
    assert found() == {
        "end users kept as in a segment of another brand",
        "membership changes of an end user or segment that is gone",
        "membership changes with a later epoch than the membership",
        "watched segments whose brand queues no changes",
    }
