"""The list of segments and the page of one: sizes, over time, where it is used, copied, deleted."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from campaigns.models import Campaign
from campaigns.services.publish import campaign_publish
from devices.models import EndUser
from segments.models import ListEntry, Segment, SegmentSize, SegmentWork
from segments.selectors.history import segment_history
from segments.services import segment_save
from tests.backoffice.agreeing import agreed
from tests.campaigns.world import NOW, flow_of, stop
from tests.segments.compiling.evaluator import Evaluator

ASK = {"field": "push_status_last_session", "operator": "is", "value": "ask"}
LIST = "admin:segments_segment_changelist"


def rules(rule):
    return {"version": 1, "rule": rule}


@pytest.fixture
def asked(brand):
    return segment_save(brand=brand, name="To be asked", rules=rules(ASK))


def page(segment, name="change"):
    return reverse(f"admin:segments_segment_{name}", args=[segment.pk])


def sized(segment, size, reachable=0, ago=timedelta(minutes=3)):
    Segment.objects.filter(pk=segment.pk).update(size=size, reachable=reachable, sized_at=timezone.now() - ago)


def test_the_list_says_who_how_many_since_when_and_where_it_is_used(editor, brand, asked):
    sized(asked, 5)
    Segment.objects.filter(pk=asked.pk).update(updated_at=timezone.now() - timedelta(hours=1))
    segment_save(brand=brand, name="Others", rules=rules({"field": "segment", "operator": "not_in", "value": asked.pk}))
    Campaign.objects.create(brand=brand, name="Welcome", segment=asked)
    text = editor.get(reverse(LIST), {"q": "asked"}).content.decode()
    assert "Push status of the last session is Ask" in text
    assert "<strong>5</strong> <span>25.0%</span><small>computed 3 minutes ago</small>" in text
    assert "2 places" in text


def test_a_size_that_is_older_than_the_rules_says_so(editor, asked):
    sized(asked, 5)
    assert "before its last change" in editor.get(reverse(LIST)).content.decode()


def test_one_that_was_never_computed_is_counted_for_the_list(editor, brand, asked):
    expected = len(Evaluator(brand.pk, NOW).selected(ASK))
    text = editor.get(reverse(LIST)).content.decode()
    assert f"<strong>{expected}</strong>" in text
    assert "counted now" in text


def test_a_list_asks_as_often_for_many_as_for_few(editor, brand, asked, django_assert_max_num_queries):
    def queries():
        with django_assert_max_num_queries(60) as asked_for:
            assert editor.get(reverse(LIST)).status_code == 200
        return len(asked_for)

    other = rules({"field": "segment", "operator": "in", "value": asked.pk})
    sized(asked, 5)
    sized(segment_save(brand=brand, name="Others", rules=other), 5)
    queries()  # what is read once a process
    few = queries()
    for n in range(12):
        made = segment_save(brand=brand, name=f"S{n}", rules=other)
        sized(made, n)
        Campaign.objects.create(brand=brand, name=f"C{n}", segment=made)
    assert queries() == few


def test_the_list_is_filtered_by_kind(editor, brand, asked):
    Segment.objects.create(brand=brand, name="VIP list", kind="imported")
    text = editor.get(reverse(LIST), {"kind__exact": "imported"}).content.decode()
    assert "VIP list" in text
    assert "To be asked" not in text


def test_rules_that_cannot_be_read_do_not_break_the_list(editor, brand):
    Segment.objects.create(brand=brand, name="Old", rules={"version": 1, "rule": {"field": "gone"}})
    assert "need to be mended" in editor.get(reverse(LIST)).content.decode()


def test_the_page_shows_the_size_over_time_and_what_uses_it(editor, brand, asked):
    sized(asked, 40, 10)
    today = timezone.now().date()
    for ago, size in ((2, 20), (1, 30), (0, 40)):
        SegmentSize.objects.create(segment=asked, day=today - timedelta(days=ago), size=size, reachable=size // 4)
    Campaign.objects.create(brand=brand, name="Welcome", segment=asked)
    text = editor.get(page(asked)).content.decode()
    assert text.count("sp-chart-dot") == 3
    assert "Welcome" in text
    assert page(asked, "export") in text
    points = segment_history(segment=asked)
    assert (points.top, [point.x for point in points.points], points.points[-1].y) == (50, [0, 300, 600], 32)


def test_the_page_of_a_segment_without_points_says_so(editor, asked):
    text = editor.get(page(asked)).content.decode()
    assert "There is none yet" in text
    assert "Nothing uses it yet" in text


def test_compute_now_keeps_a_point(editor, brand, asked):
    expected = len(Evaluator(brand.pk, NOW).selected(ASK))
    assert editor.post(page(asked, "compute")).url == page(asked)
    asked.refresh_from_db()
    assert asked.size == expected
    assert SegmentSize.objects.get(segment=asked).size == expected


def test_saving_has_the_size_computed_soon(editor, asked):
    SegmentWork.objects.filter(segment=asked).delete()
    data = {"name": "To be asked", "description": "", "rules": '{"version": 1, "rule": {"all": []}}'}
    assert editor.post(page(asked), data).status_code == 302
    assert SegmentWork.objects.filter(segment=asked, kind="size").exists()


def test_a_copy_has_the_rules_and_a_name_of_its_own(editor, brand, asked):
    first = editor.post(page(asked, "duplicate"))
    editor.post(page(asked, "duplicate"))
    copies = Segment.objects.filter(name__startswith="Copy of").order_by("pk")
    assert [copy.name for copy in copies] == ["Copy of To be asked", "Copy of To be asked 2"]
    assert first.url == page(copies[0])
    assert copies[0].rules == asked.rules


def test_deleting_says_what_stands_in_the_way(editor, brand, asked):
    Campaign.objects.create(brand=brand, name="Welcome", segment=asked)
    for answer in (editor.get(page(asked, "delete")), editor.post(page(asked, "delete"), {"post": "yes"})):
        assert answer.status_code == 409
        assert "Welcome" in answer.content.decode()
        assert "publish it again" not in answer.content.decode()
    assert Segment.objects.filter(pk=asked.pk).exists()


def test_deleting_says_that_an_active_campaign_runs_as_it_was_published(editor, brand, asked):
    welcome = Campaign.objects.create(brand=brand, name="Welcome", segment=asked, flow=flow_of(stop("a1")))
    campaign_publish(campaign=welcome, by=None, now=NOW)
    assert "publish it again" in editor.get(page(asked, "delete")).content.decode()


@pytest.mark.parametrize("kind", ["dynamic", "imported"])
def test_what_nothing_uses_is_deleted(editor, brand, kind):
    segment = Segment.objects.create(brand=brand, name="Old", kind=kind, rules=rules({"all": []}))
    assert editor.post(page(segment, "delete"), agreed(editor, page(segment, "delete"))).status_code == 302
    assert not Segment.objects.filter(pk=segment.pk).exists()


def test_a_list_shows_some_of_its_end_users_and_what_uses_it(editor, brand):
    segment = Segment.objects.create(brand=brand, name="VIP list", kind="imported")
    people = list(EndUser.objects.filter(brand=brand))
    ListEntry.objects.bulk_create(ListEntry(segment=segment, end_user=person) for person in people[:12])
    Campaign.objects.create(brand=brand, name="Welcome", segment=segment)
    text = editor.get(page(segment, "list")).content.decode()
    shown = [person for person in people if reverse("admin:devices_enduser_change", args=[person.pk]) in text]
    assert len(shown) == 10
    assert "Welcome" in text


def test_viewers_see_all_of_it_and_change_nothing(staff_of, brand, asked):
    viewer = staff_of(brand, "viewer")
    text = viewer.get(page(asked)).content.decode()
    assert "Where it is used" in text
    assert "Compute now</button>" not in text
    assert "Duplicate" not in text
    for name in ("compute", "duplicate"):
        assert viewer.post(page(asked, name)).status_code == 403
    assert not SegmentSize.objects.exists()


def test_a_size_that_cannot_be_computed_says_why_until_it_can(editor, brand, asked):
    sized(asked, 5)
    due = timezone.now() + timedelta(minutes=15)
    SegmentWork.objects.filter(segment=asked, kind="size").update(failure="Counting takes <b>longer</b>.", due_at=due)
    listed, own = editor.get(reverse(LIST)).content.decode(), editor.get(page(asked)).content.decode()
    for text in (listed, own):
        assert "could not be computed" in text
        assert "Counting takes &lt;b&gt;longer&lt;/b&gt;." in text
    assert f"{due:%H:%M}, {due.day} {due:%b %Y}" in own
    editor.post(page(asked, "compute"))
    for text in (editor.get(reverse(LIST)).content.decode(), editor.get(page(asked)).content.decode()):
        assert "could not be computed" not in text
