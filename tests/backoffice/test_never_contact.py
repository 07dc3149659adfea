"""*Never contact* in the back office: set by editors, lifted by admins, shown wherever people are counted."""

import pytest
from django.contrib.admin.models import LogEntry
from django.core.cache import cache
from django.urls import reverse

from assets.models import PushResource
from campaigns.services.never_contact import people_never_contact
from devices.models import ConsentRecord, Delivery, EndUser
from segments.conditions import Context
from segments.models import ImportLine, Segment, SegmentImport, SegmentWork
from segments.rules import EVERYONE, rules_json
from segments.selectors.counting import audience_count
from segments.services.lists import list_extend, list_save
from segments.services.sizes import size_compute
from segments.tasks import run_work
from smartpush.backoffice.overview import figures
from smartpush.common.time.clock import utc_now
from tests.backoffice.world import NOW, end_user_with_device

pytestmark = pytest.mark.django_db
LIST = "admin:devices_enduser_changelist"


@pytest.fixture
def ann(ours):
    return end_user_with_device(brand=ours.brand, external_id="OURS-ann")


def page(end_user, name):
    return reverse(f"admin:devices_enduser_{name}", args=[end_user.pk])


def mark(brand, *people):
    people_never_contact(
        brand_id=brand.pk, end_user_ids=[one.pk for one in people], on=True, by="platform", now=NOW
    )  # fmt: skip


def test_an_editor_marks_and_only_an_admin_lifts(client_of, ours, ann):
    editor, admin = client_of(ours.brand, "editor", name="eda"), client_of(ours.brand, "admin", name="ada")
    asked = editor.get(page(ann, "never_contact")).content.decode()
    assert "Never contact OURS-ann?" in asked and "ends 0 open journeys and cancels 0 waiting messages" in asked
    assert not EndUser.objects.get(pk=ann.pk).never_contact
    answer = editor.post(page(ann, "never_contact"), follow=True).content.decode()
    assert "OURS-ann is marked never contact." in answer
    assert EndUser.objects.get(pk=ann.pk).never_contact
    assert LogEntry.objects.latest("pk").get_change_message() == "Marked never contact."
    assert 'sp-badge-bad">Never contact<' in answer and "by staff" in answer
    assert page(ann, "contact_again") not in answer and "Only an admin of the brand may allow contact again" in answer
    assert editor.post(page(ann, "contact_again")).status_code == 403
    assert EndUser.objects.get(pk=ann.pk).never_contact
    assert page(ann, "contact_again") in admin.get(page(ann, "change")).content.decode()
    assert "may be contacted again" in admin.post(page(ann, "contact_again"), follow=True).content.decode()
    assert not EndUser.objects.get(pk=ann.pk).never_contact
    told = ConsentRecord.objects.filter(end_user_id=ann.pk).order_by("pk")
    assert [(one.subject, one.answer, one.by) for one in told] == [
        ("never_contact", "set", "staff"), ("never_contact", "lifted", "staff"),
    ]  # fmt: skip


def test_the_question_names_what_it_ends(client_of, ours, ann):
    any_other = Delivery.objects.first()
    Delivery.objects.filter(pk=any_other.pk).update(end_user_id=ann.pk, state="ready")
    asked = client_of(ours.brand, "editor").get(page(ann, "never_contact")).content.decode()
    assert "cancels 1 waiting message for good" in asked


@pytest.mark.parametrize("name", ["send", "test"])
def test_neither_a_push_from_the_profile_nor_a_test_reaches_who_is_marked(client_of, ours, ann, name):
    push = PushResource.objects.get(brand=ours.brand)
    mark(ours.brand, ann)
    client = client_of(ours.brand, "publisher")
    before = Delivery.objects.count()
    if name == "send":
        answer = client.post(page(ann, "send"), {"push": push.pk, "target_devices": "all"})
    else:
        address = reverse("admin:assets_pushresource_test", args=[push.pk])
        answer = client.post(address, {"end_user": ann.external_id, "external_id": ann.external_id}, follow=True)
    assert Delivery.objects.count() == before
    assert "Never contact" in answer.content.decode()


def test_every_count_of_people_names_those_who_are_marked_and_agrees_with_the_list(client_of, ours, ann):
    end_user_with_device(brand=ours.brand, external_id="OURS-bob")
    mark(ours.brand, ann)
    cache.clear()
    client = client_of(ours.brand, "editor")
    listed = client.get(reverse(LIST) + "?contact=never").context["cl"].result_list
    assert [one.pk for one in listed] == [ann.pk]
    number = figures(brand_id=ours.brand.pk, now=utc_now()).never_contact
    context = Context(ours.brand.pk, utc_now(), "UTC")
    exact = audience_count(rules=EVERYONE, context=context, exact=True)
    estimate = audience_count(rules=EVERYONE, context=context, exact=False, budget=5.0)
    segment = Segment.objects.create(brand=ours.brand, name="Everybody", rules=rules_json(EVERYONE))
    counted = size_compute(segment=segment, now=utc_now())
    assert {number, exact.never_contact, estimate.never_contact, counted.never_contact} == {1}
    # Push enabled says what a browser allows: the mark is counted beside it.
    assert exact.reachable == estimate.reachable == counted.reachable == exact.selected
    overview = client.get(reverse("admin:index")).content.decode()
    assert "?contact=never" in overview
    sized = client.get(reverse("admin:segments_segment_change", args=[segment.pk])).content.decode()
    assert "<dt>Never contact</dt><dd>1<" in sized
    everybody = client.get(reverse(LIST)).content.decode()
    assert everybody.count("Never contact") >= 2  # the filter and the row


def a_list(brand, *people):
    segment = list_save(brand=brand, name="Do not call")
    list_extend(segment=segment, end_user_ids=[one.pk for one in people])
    return segment


def test_a_list_is_marked_after_its_name_was_typed_and_the_page_counts_along(client_of, ours, ann):
    bob = end_user_with_device(brand=ours.brand, external_id="OURS-bob")
    segment = a_list(ours.brand, ann, bob)
    job = SegmentImport.objects.create(segment=segment, mode="add", state="done", created_at=NOW, unknown=1)
    ImportLine.objects.create(job=job, line=1, external_id="OURS-nobody")
    mark(ours.brand, bob)
    address = reverse("admin:segments_segment_list_never_contact", args=[segment.pk])
    client = client_of(ours.brand, "editor")
    asked = client.get(address).content.decode()
    assert "Will be marked: 1" in asked and "becomes an end user who is marked: 1" in asked
    seen = f"1:1:{job.pk}"
    for wrong in ({}, {"name": "do not call", "seen": seen}, {"name": "Do not call", "seen": f"9:1:{job.pk}"}):
        refused = client.post(address, wrong)
        assert refused.status_code == 409 and refused.context["question"].problem
    assert not SegmentWork.objects.filter(kind="mark").exists()
    assert client.post(address, {"name": "Do not call", "seen": seen}).status_code == 302
    under_way = client.get(address + "?progress").json()
    assert under_way["open"] is True and "1 of 2 in the list" in under_way["html"]
    run_work()
    done = client.get(address + "?progress").json()
    assert done["open"] is False and "3 of 3 in the list" in done["html"]
    assert "Everybody in the list is marked" in client.get(address).content.decode()
    assert LogEntry.objects.latest("pk").get_change_message() == (
        "Marked never contact: 1 of the list, and 1 that nobody had yet."
    )


def given(segment, mode, *ids, state="done"):
    job = SegmentImport.objects.create(segment=segment, mode=mode, state=state, created_at=NOW, unknown=len(ids))
    ImportLine.objects.bulk_create(
        ImportLine(job=job, line=number, external_id=external_id) for number, external_id in enumerate(ids, 1)
    )
    return job


@pytest.mark.parametrize(
    ("imports", "left"),
    [
        ([("add", "ghost-1", "ghost-2"), ("replace", "ghost-8")], {"ghost-8"}),
        ([("add", "ghost-1", "ghost-2"), ("remove", "ghost-1")], {"ghost-2"}),
        ([("add", "ghost-1"), ("remove", "ghost-1"), ("add", "ghost-1")], {"ghost-1"}),
        ([("remove", "ghost-1"), ("add", "ghost-1", "ghost-2")], {"ghost-1", "ghost-2"}),
        ([("replace", "ghost-1"), ("add", "ghost-2"), ("remove", "ghost-1"), ("replace", "ghost-3")], {"ghost-3"}),
    ],
)
def test_ids_that_were_taken_out_of_a_list_are_not_marked(client_of, ours, imports, left):
    segment = a_list(ours.brand)
    for mode, *ids in imports:
        last = given(segment, mode, *ids)
    address = reverse("admin:segments_segment_list_never_contact", args=[segment.pk])
    client = client_of(ours.brand, "editor")
    assert f"becomes an end user who is marked: {len(left)}" in client.get(address).content.decode()
    client.post(address, {"name": "Do not call", "seen": f"0:{len(left)}:{last.pk}"})
    run_work()
    made = EndUser.objects.filter(brand=ours.brand, external_id__startswith="ghost-")
    assert set(made.values_list("external_id", "never_contact")) == {(one, True) for one in left}


def test_an_id_counts_once_and_for_this_brand_and_only_from_imports_that_took_place(client_of, ours, theirs):
    EndUser.objects.create(brand=theirs.brand, external_id="ghost-1")
    segment = a_list(ours.brand)
    given(segment, "add", "ghost-1", "ghost-2")
    last = given(segment, "add", "ghost-2")
    for state in ("failed", "cancelled"):
        given(segment, "add", "ghost-7", state=state)
    address = reverse("admin:segments_segment_list_never_contact", args=[segment.pk])
    client = client_of(ours.brand, "editor")
    assert client.get(address).context["question"].seen == f"0:2:{last.pk}"
    assert "becomes an end user who is marked: 2" in client.get(address).content.decode()
    client.post(address, {"name": "Do not call", "seen": f"0:2:{last.pk}"})
    run_work()
    marked = EndUser.objects.filter(never_contact=True)
    assert set(marked.values_list("brand", "external_id")) == {
        (ours.brand.pk, "ghost-1"), (ours.brand.pk, "ghost-2"),
    }  # fmt: skip


def test_a_list_that_was_replaced_by_as_many_others_is_asked_about_again(client_of, ours, ann):
    bob = end_user_with_device(brand=ours.brand, external_id="OURS-bob")
    segment = a_list(ours.brand, ann)
    address = reverse("admin:segments_segment_list_never_contact", args=[segment.pk])
    client = client_of(ours.brand, "editor")
    seen = client.get(address).context["question"].seen
    segment.entries.all().delete()
    list_extend(segment=segment, end_user_ids=[bob.pk])
    given(segment, "replace")
    refused = client.post(address, {"name": "Do not call", "seen": seen})
    assert refused.status_code == 409 and 'value="Do not call"' in refused.content.decode()
    run_work()
    assert not EndUser.objects.filter(never_contact=True).exists()


def test_a_list_that_is_being_imported_waits(client_of, ours, ann):
    segment = a_list(ours.brand, ann)
    SegmentImport.objects.create(segment=segment, mode="add", state="waiting", created_at=NOW)
    address = reverse("admin:segments_segment_list_never_contact", args=[segment.pk])
    refused = client_of(ours.brand, "editor").post(address, {"name": "Do not call", "seen": "1:0:0"})
    assert refused.status_code == 409 and "under way" in refused.context["question"].problem


def test_an_empty_list_says_what_to_do(client_of, ours):
    address = reverse("admin:segments_segment_list_never_contact", args=[a_list(ours.brand).pk])
    assert "Import the ids" in client_of(ours.brand, "editor").get(address).content.decode()


def test_a_segment_with_rules_has_no_such_page(client_of, ours):
    segment = Segment.objects.create(brand=ours.brand, name="Rules", rules=rules_json(EVERYONE))
    address = reverse("admin:segments_segment_list_never_contact", args=[segment.pk])
    assert client_of(ours.brand, "editor").post(address, {"name": "Rules", "seen": "0:0"}).status_code == 302
    assert not SegmentWork.objects.filter(kind="mark").exists()
