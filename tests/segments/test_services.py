"""Saving, counting and the ready segments."""

import pytest
from django.contrib.auth.models import User

from segments.models import Segment
from segments.selectors import segment_count, segment_rules, segment_sample
from segments.services import CannotSaveSegment, segment_save, segments_make_ready
from tests.segments.population import NOW, SlowReader, populate

pytestmark = pytest.mark.django_db
ASK = {"version": 1, "rule": {"field": "push_status_last_session", "operator": "is", "value": "ask"}}


def test_a_segment_is_saved_changed_counted_and_sampled():
    brand = populate(seed=11, end_users=20)
    staff = User.objects.create_user("ann")
    segment = segment_save(brand=brand, name=" Ask ", rules=ASK, by=staff)
    assert (segment.name, segment.created_by) == ("Ask", staff)
    changed = segment_save(brand=brand, name="Asked", rules=ASK, segment=segment)
    assert Segment.objects.get() == changed
    wanted = SlowReader(brand).expected(ASK)
    rules = segment_rules(segment=changed)
    count = segment_count(rules=rules, brand_id=brand.pk, now=NOW)
    assert (count.selected, count.total, count.share) == (len(wanted), 20, len(wanted) / 20)
    sample = segment_sample(rules=rules, brand_id=brand.pk, now=NOW, size=3)
    assert len(sample) == min(3, len(wanted))
    assert {person.pk for person in sample} <= wanted


def test_faults_are_named_by_field_and_path():
    brand = populate(seed=12, end_users=1)
    with pytest.raises(CannotSaveSegment) as caught:
        segment_save(brand=brand, name=" ", rules={"version": 1, "rule": {"all": [{"any": []}]}})
    assert set(caught.value.fields) == {"name", "rules.rule.all[0]"}


def test_a_name_is_used_once_in_a_brand():
    brand = populate(seed=13, end_users=1)
    other = populate(seed=14, end_users=1, name="Other")
    segment_save(brand=brand, name="Ask", rules=ASK)
    segment_save(brand=other, name="Ask", rules=ASK)
    with pytest.raises(CannotSaveSegment) as caught:
        segment_save(brand=brand, name="Ask", rules=ASK)
    assert set(caught.value.fields) == {"name"}


def test_another_brands_segment_cannot_be_changed():
    brand = populate(seed=15, end_users=1)
    other = populate(seed=16, end_users=1, name="Other")
    segment = segment_save(brand=other, name="Ask", rules=ASK)
    with pytest.raises(CannotSaveSegment):
        segment_save(brand=brand, name="Mine", rules=ASK, segment=segment)


def test_ready_segments_are_made_once_and_never_overwritten():
    brand = populate(seed=17, end_users=1)
    made = segments_make_ready(brand=brand)
    assert [segment.name for segment in made] == ["Push enabled", "To be asked", "Blocked", "Suspended"]
    Segment.objects.filter(name="Blocked").update(description="ours")
    segments_make_ready(brand=brand)
    assert Segment.objects.count() == 4
    assert Segment.objects.get(name="Blocked").description == "ours"
    for segment in made:
        segment_count(rules=segment_rules(segment=segment), brand_id=brand.pk, now=NOW)
