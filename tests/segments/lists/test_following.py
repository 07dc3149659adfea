"""Lists follow people: two become one, one is erased, also while a file is on its way in."""

import pytest

from devices.lifecycle.brands import brand_create
from devices.models import EndUser
from segments.models import ImportLine, ListEntry
from segments.services.imports import import_confirm, import_run, lookup
from smartpush.api.server.flows import user_erase, users_merge
from tests.api.page import Page
from tests.segments.lists.people import NOW, a_list, imported, members, people, received

pytestmark = pytest.mark.django_db


@pytest.fixture
def brand():
    return brand_create(name="Shop", origin="https://shop.example")


@pytest.fixture
def crowd(brand):
    return people(brand, "ann", "bob", "cem")


def halfway(segment, content, monkeypatch):
    """An import whose lines have been looked up and whose list has not changed."""
    monkeypatch.setattr(lookup, "_LAST_START_SECONDS", -1.0)
    job = received(segment, content, mode="replace")
    import_run(import_id=job.pk, now=NOW)
    assert job.slices.count() == 1
    return job


def test_who_is_merged_into_another_leaves_them_their_places_once(brand, crowd):
    first = a_list(brand, crowd["ann"], name="1")
    both = a_list(brand, crowd["ann"], crowd["bob"], name="2")
    other = a_list(brand, crowd["cem"], name="3")
    users_merge(brand=brand, external_id="ann", into="bob", now=NOW)
    assert [members(segment) for segment in (first, both, other)] == [{"bob"}, {"bob"}, {"cem"}]
    assert ListEntry.objects.count() == 3


def test_who_is_merged_while_a_file_is_matched_is_in_the_list_as_the_other(brand, crowd, monkeypatch):
    segment = a_list(brand)
    job = halfway(segment, "ann\ncem\n", monkeypatch)
    users_merge(brand=brand, external_id="ann", into="bob", now=NOW)
    assert import_run(import_id=job.pk, now=NOW)
    assert members(segment) == {"bob", "cem"}


def test_who_is_erased_is_in_no_list_and_in_no_report(brand, crowd, monkeypatch):
    other = brand_create(name="Other", origin="https://other.example")
    theirs = imported(a_list(other), "ann\n")
    done = a_list(brand, crowd["ann"], crowd["bob"], name="done")
    waiting = received(a_list(brand, name="waiting"), "ann\nbob\n")
    asking = received(a_list(brand, name="asking"), "ann\nbob\n", mode="replace", asks=True)
    import_run(import_id=asking.pk, now=NOW)
    segment = a_list(brand, name="half")
    job = halfway(segment, "ann\nbob\n", monkeypatch)
    number = crowd["ann"].pk
    user_erase(brand=brand, external_id="ann", now=NOW)
    assert not ListEntry.objects.filter(end_user_id=number).exists()
    assert list(ImportLine.objects.filter(external_id="ann").values_list("job_id", flat=True)) == [theirs.pk]
    import_confirm(job=asking, now=NOW)
    for each in (waiting, asking, job):
        while not import_run(import_id=each.pk, now=NOW):
            pass
        assert members(each.segment) == {"bob"}
    assert members(done) == {"bob"}


def test_a_visitor_who_turns_out_to_be_somebody_brings_their_places_along(brand, crowd):
    page = Page(brand, "https://shop.example")
    page.session()
    visitor = EndUser.objects.get(brand=brand, external_id=None)
    lists = [a_list(brand, visitor, name="1"), a_list(brand, visitor, crowd["ann"], name="2")]
    page.session(path="identify", external_id="ann")
    assert not EndUser.objects.filter(pk=visitor.pk).exists()
    assert [members(segment) for segment in lists] == [{"ann"}, {"ann"}]
    assert ListEntry.objects.count() == 2
