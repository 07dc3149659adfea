"""Imports of lists: what each mode does, what the report says, and what is left when one goes wrong."""

import io
import tracemalloc

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from devices.lifecycle.brands import brand_create
from devices.models import EndUser
from segments.models import ImportLine, ImportSlice, ListEntry, Segment, SegmentImport, SegmentWork
from segments.services.imports import (
    CannotImport,
    import_cancel,
    import_confirm,
    import_receive,
    import_run,
    imports_forget_old,
    lookup,
)
from tests.segments.lists.people import NOW, a_list, imported, later, members, people, received

pytestmark = pytest.mark.django_db


@pytest.fixture
def brand():
    return brand_create(name="Shop", origin="https://shop.example")


@pytest.fixture
def crowd(brand):
    return people(brand, "ann", "bob", "cem", "dan", "eve")


def report(job):
    return {name: getattr(job, name) for name in ("lines", "added", "removed", "repeated", "unknown", "skipped")}


def test_adding_keeps_who_is_there_and_says_what_was_repeated_and_unknown(brand, crowd):
    segment = a_list(brand, crowd["ann"])
    job = imported(segment, "id,x\nann,1\nbob,1\nbob,2\nzoe,1\ncem,1\nzoe,2\n,3\nyan,4\n")
    assert members(segment) == {"ann", "bob", "cem"}
    assert report(job) == {"lines": 7, "added": 2, "removed": 0, "repeated": 2, "unknown": 2, "skipped": 1}
    assert (job.state, job.done_lines, job.finished_at is not None) == ("done", 7, True)
    kept = ImportLine.objects.filter(job_id=job.pk).order_by("line").values_list("line", "external_id")
    assert list(kept) == [(5, "zoe"), (9, "yan")]
    assert not ImportSlice.objects.exists()


def test_the_size_is_computed_again_soon_after(brand, crowd):
    segment = a_list(brand)
    SegmentWork.objects.create(segment=segment, kind="size", due_at=later(86_400))
    imported(segment, "ann")
    assert SegmentWork.objects.get(segment=segment, kind="size").due_at < later(600)


def test_broken_rules_of_another_segment_hold_up_no_import(brand, crowd):
    Segment.objects.create(brand=brand, name="Broken", rules={"version": 1, "rule": {"field": "gone"}})
    segment = a_list(brand)
    assert imported(segment, "ann").state == "done"
    assert members(segment) == {"ann"}


def test_replacing_leaves_exactly_those_of_the_file(brand, crowd):
    segment = a_list(brand, crowd["ann"], crowd["bob"])
    job = imported(segment, "bob\ncem\n", mode="replace")
    assert members(segment) == {"bob", "cem"}
    assert report(job) == {"lines": 2, "added": 1, "removed": 1, "repeated": 0, "unknown": 0, "skipped": 0}


def test_removing_leaves_the_others(brand, crowd):
    segment = a_list(brand, crowd["ann"], crowd["bob"])
    job = imported(segment, "bob\ncem\nzoe\n", mode="remove")
    assert members(segment) == {"ann"}
    assert report(job) == {"lines": 3, "added": 0, "removed": 1, "repeated": 0, "unknown": 1, "skipped": 0}


def test_only_end_users_of_the_segments_own_brand_are_found(brand, crowd):
    other = brand_create(name="Other", origin="https://other.example")
    people(other, "ann", "ole")
    segment = a_list(brand)
    job = imported(segment, "ann\nole\n")
    assert list(ListEntry.objects.values_list("end_user_id", flat=True)) == [crowd["ann"].pk]
    assert (job.added, job.unknown) == (1, 1)


def test_other_lists_stay_as_they_are(brand, crowd):
    other = a_list(brand, crowd["eve"], name="Other")
    segment = a_list(brand, crowd["ann"])
    imported(segment, "bob", mode="replace")
    imported(segment, "eve\nbob", mode="remove")
    assert (members(other), members(segment)) == ({"eve"}, set())


def test_ids_with_backslashes_quotes_and_letters_of_all_kinds_arrive_as_they_are(brand):
    names = ["a\\b", "c\\n", 'd"e', "Ω≈ç", "漢字", "100%s", "\\.", "'; DROP TABLE x; --"]
    people(brand, *names)
    segment = a_list(brand)
    imported(segment, "\n".join(names), name="ids.txt")
    assert members(segment) == set(names)


def test_a_list_of_many_slices_is_matched_like_one_of_one(brand, monkeypatch):
    monkeypatch.setattr(lookup, "SLICE", 7)
    people(brand, *[f"u{n}" for n in range(50)])
    segment = a_list(brand)
    job = imported(segment, "".join(f"u{n}\n\n" for n in range(0, 60, 2)) + "u0\nu2\nx\nx\n")
    assert members(segment) == {f"u{n}" for n in range(0, 50, 2)}
    assert report(job) == {"lines": 34, "added": 25, "removed": 0, "repeated": 3, "unknown": 6, "skipped": 0}


def test_the_number_of_statements_does_not_grow_with_the_lines(brand):
    people(brand, *[f"u{n}" for n in range(300)])
    segment = a_list(brand)
    counts = []
    for size in (3, 300):
        job = received(segment, "\n".join(f"u{n}" for n in range(size)))
        with CaptureQueriesContext(connection) as statements:
            import_run(import_id=job.pk, now=NOW)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_second_import_waits_its_turn_and_is_told_so(brand):
    segment = a_list(brand)
    received(segment, "ann")
    with pytest.raises(CannotImport, match="under way"):
        received(segment, "bob")
    assert SegmentImport.objects.count() == 1
    assert received(a_list(brand, name="Another"), "bob").state == "waiting"


def test_a_segment_of_rules_takes_no_file(brand):
    segment = Segment.objects.create(brand=brand, name="Rules", rules={})
    with pytest.raises(CannotImport, match="made of rules"):
        received(segment, "ann")
    with pytest.raises(CannotImport, match="Choose"):
        received(a_list(brand), "ann", mode="explode")


@pytest.mark.parametrize(
    ("content", "says"),
    [("", "holds no id"), ("id,x\n,1\n", "Line 2: The external id is empty"), (b"PK\x03\x04zip", "zip file")],
)
def test_a_bad_file_fails_with_its_reason_and_leaves_the_list_alone(brand, crowd, content, says):
    segment = a_list(brand, crowd["ann"])
    job = received(segment, content, mode="replace")
    job.refresh_from_db()
    assert (job.state, job.finished_at) == ("failed", NOW)
    assert says in job.error
    assert not ImportLine.objects.exists()
    assert not import_run(import_id=job.pk, now=NOW)
    assert members(segment) == {"ann"}
    assert received(segment, "bob").state == "waiting"


def test_the_limits_of_the_installation_hold(brand, settings):
    settings.SMARTPUSH_IMPORT_LINES = 2
    assert "more than 2 lines" in received(a_list(brand), "ann\nbob\ncem\n").error
    settings.SMARTPUSH_IMPORT_MEGABYTES = 1
    assert "larger than 1 MB" in received(a_list(brand, name="b"), "x\n" * 600_000).error


class CutOff(io.BytesIO):
    """A connection that breaks after half of it."""

    def __init__(self, content, *, seeks=True):
        super().__init__(content)
        self.half, self.seeks = len(content) // 2, seeks

    def seekable(self):
        return self.seeks

    def read(self, size=-1):
        if self.tell() >= self.half:
            raise ConnectionResetError("gone")
        return super().read(size if size >= 0 else self.half)

    def read1(self, size=-1):
        return self.read(size)

    def readinto(self, buffer):
        raise ConnectionResetError("gone")


@pytest.mark.parametrize("seeks", [True, False])
def test_an_upload_that_is_cut_off_leaves_a_failed_import_and_nothing_else(brand, seeks):
    segment = a_list(brand)
    job = import_receive(
        segment=segment, mode="add", stream=CutOff(b"ann\n" * 2_000_000, seeks=seeks), file_name="a", by=None, now=NOW
    )
    job.refresh_from_db()
    assert job.state == "failed"
    assert "cut off" in job.error
    assert not ImportLine.objects.exists()


def test_a_stream_that_cannot_be_rewound_is_read_all_the_same(brand, crowd):
    class Once(io.BytesIO):
        def seekable(self):
            return False

    segment = a_list(brand)
    job = import_receive(segment=segment, mode="add", stream=Once(b"ann\nbob\n"), file_name="a", by=None, now=NOW)
    import_run(import_id=job.pk, now=NOW)
    assert members(segment) == {"ann", "bob"}


def test_replacing_by_a_page_asks_first_with_numbers_and_changes_nothing_yet(brand, crowd):
    segment = a_list(brand, crowd["ann"], crowd["bob"])
    job = received(segment, "bob\ncem\ndan\nzoe\n", mode="replace", asks=True)
    assert not import_run(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert (job.state, job.added, job.removed, job.unknown) == ("asking", 2, 1, 1)
    assert members(segment) == {"ann", "bob"}
    assert not import_run(import_id=job.pk, now=NOW)
    with pytest.raises(CannotImport, match="under way"):
        received(segment, "eve")
    import_confirm(job=job, now=NOW)
    assert import_run(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert (job.state, job.added, job.removed, job.unknown) == ("done", 2, 1, 1)
    assert members(segment) == {"bob", "cem", "dan"}
    with pytest.raises(CannotImport, match="nothing to confirm"):
        import_confirm(job=job, now=NOW)


def test_the_numbers_of_removing_and_adding_are_what_then_happens(brand, crowd):
    segment = a_list(brand, crowd["ann"], crowd["bob"])
    for mode, added, removed in (("remove", 0, 1), ("add", 2, 0)):
        job = received(segment, "bob\ncem\n", mode=mode, asks=True)
        import_run(import_id=job.pk, now=NOW)
        job.refresh_from_db()
        assert (job.added, job.removed) == (added, removed)
        import_confirm(job=job, now=NOW)
        import_run(import_id=job.pk, now=NOW)
        job.refresh_from_db()
        assert (job.state, job.added, job.removed) == ("done", added, removed)


def test_an_import_is_cancelled_while_it_waits_or_asks_and_never_later(brand, crowd):
    segment = a_list(brand, crowd["ann"])
    waiting = received(segment, "bob")
    import_cancel(job=waiting, now=NOW)
    asking = received(segment, "bob\nzoe", mode="replace", asks=True)
    import_run(import_id=asking.pk, now=NOW)
    import_cancel(job=asking, now=NOW)
    for job in (waiting, asking):
        job.refresh_from_db()
        assert (job.state, job.added, job.removed, job.unknown) == ("cancelled", 0, 0, 0)
        assert not import_run(import_id=job.pk, now=NOW)
        with pytest.raises(CannotImport, match="cancelled already"):
            import_cancel(job=job, now=NOW)
    assert members(segment) == {"ann"}
    assert not ImportLine.objects.exists()
    assert not ImportSlice.objects.exists()
    done = imported(segment, "bob")
    with pytest.raises(CannotImport, match="done already"):
        import_cancel(job=done, now=NOW)


def test_an_import_that_is_worked_on_cannot_be_cancelled(brand):
    job = received(a_list(brand), "bob")
    SegmentImport.objects.filter(pk=job.pk).update(state="running")
    with pytest.raises(CannotImport, match="at this moment"):
        import_cancel(job=job, now=NOW)


def test_unknown_ids_are_forgotten_after_30_days(brand):
    segment = a_list(brand)
    job = imported(segment, "zoe\nyan\n")
    assert imports_forget_old(now=later(29 * 86_400)) == 0
    assert ImportLine.objects.count() == 2
    assert imports_forget_old(now=later(31 * 86_400)) == 2
    assert not ImportLine.objects.exists()
    job.refresh_from_db()
    assert (job.state, job.unknown) == ("done", 2)


def test_what_nobody_confirms_within_a_week_ends_by_itself(brand, crowd):
    segment = a_list(brand, crowd["ann"])
    job = received(segment, "bob", mode="replace", asks=True)
    import_run(import_id=job.pk, now=NOW)
    imports_forget_old(now=later(6 * 86_400))
    job.refresh_from_db()
    assert job.state == "asking"
    imports_forget_old(now=later(8 * 86_400))
    job.refresh_from_db()
    assert (job.state, job.error) == ("failed", "Nobody confirmed it within 7 days.")
    assert not ImportSlice.objects.exists()


def test_who_went_between_the_upload_and_the_matching_is_unknown(brand, crowd):
    segment = a_list(brand)
    job = received(segment, "ann\nbob\n")
    EndUser.objects.filter(pk=crowd["bob"].pk).update(external_id="robert")
    import_run(import_id=job.pk, now=NOW)
    assert members(segment) == {"ann"}


class Many(io.RawIOBase):
    """A file of so many ids that is made as it is read."""

    def __init__(self, lines):
        self.size, self.at = lines * 8, 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=0):
        self.at = offset
        return offset

    def tell(self):
        return self.at

    def read(self, size=-1):
        taken = min(size, self.size - self.at)
        skipped = self.at % 8
        self.at += taken
        return (b"same-id\n" * (taken // 8 + 2))[skipped : skipped + taken]

    read1 = read


def test_memory_does_not_grow_with_the_file(brand):
    peaks = []
    for lines in (80_000, 160_000):
        tracemalloc.start()
        job = import_receive(
            segment=a_list(brand, name=str(lines)), mode="add", stream=Many(lines), file_name="a", by=None, now=NOW
        )
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (job.state, job.lines, job.skipped) == ("waiting", lines, 0)
    assert peaks[1] < peaks[0] * 1.25, peaks
