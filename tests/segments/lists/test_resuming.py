"""An import whose worker dies, at whatever moment, comes to the same end; nobody sees half of it."""

import pytest
from django.db import connection

from devices.lifecycle.brands import brand_create
from segments.models import ImportLine, ImportSlice, SegmentImport
from segments.services.imports import import_run, imports_resume, lookup, receiving
from segments.tasks import run_import
from tests.segments.lists.people import NOW, a_list, later, members, people, received

pytestmark = pytest.mark.django_db
FILE = "".join(f"u{n}\n" for n in range(2, 25)) + "u3\nx\nx\ny\n"


class Killed(BaseException):
    """What no handler of errors catches: the process is gone."""


def killed_at(number):
    """Let so many statements through, then die."""
    left = [number]

    def wrapper(execute, sql, params, many, context):
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            left[0] -= 1
            if left[0] < 0:
                raise Killed
        return execute(sql, params, many, context)

    return wrapper


@pytest.fixture(autouse=True)
def _small_slices(monkeypatch):
    monkeypatch.setattr(lookup, "SLICE", 10)


@pytest.fixture
def brand():
    return brand_create(name="Shop", origin="https://shop.example")


@pytest.fixture
def queued(monkeypatch):
    queued = []
    monkeypatch.setattr(receiving, "job_queue", lambda task, number, **options: queued.append((task, number)))
    return queued


@pytest.mark.parametrize(("mode", "step"), [("replace", 1), ("add", 5), ("remove", 5)])
def test_a_worker_killed_before_any_statement_changes_nothing_of_the_outcome(brand, mode, step):
    crowd = people(brand, *[f"u{n}" for n in range(30)])
    begins = {"u0", "u1", "u2", "u5"}
    ends = {
        "add": begins | {f"u{n}" for n in range(2, 25)},
        "replace": {f"u{n}" for n in range(2, 25)},
        "remove": {"u0", "u1"},
    }[mode]
    deaths = 0
    while True:
        segment = a_list(brand, *[crowd[name] for name in begins], name=f"after {deaths}")
        job = received(segment, FILE, mode=mode)
        try:
            with connection.execute_wrapper(killed_at(deaths)):
                import_run(import_id=job.pk, now=NOW)
        except Killed:
            assert members(segment) == begins
        else:
            break
        assert not import_run(import_id=job.pk, now=later(1)) or SegmentImport.objects.get(pk=job.pk).attempt == 1
        import_run(import_id=job.pk, now=later(3600))
        job.refresh_from_db()
        assert members(segment) == ends
        assert (job.state, job.lines, job.done_lines, job.repeated, job.unknown) == ("done", 27, 27, 2, 2)
        assert (job.added, job.removed) == (len(ends - begins), len(begins - ends))
        assert list(
            ImportLine.objects.filter(job_id=job.pk).order_by("line").values_list("external_id", flat=True)
        ) == [
            "x",
            "y",
        ]
        assert not ImportSlice.objects.exists()
        deaths += step
    assert deaths > 15


def test_nobody_takes_over_from_a_worker_who_lives(brand):
    people(brand, "u2")
    job = received(a_list(brand), FILE)
    with pytest.raises(Killed), connection.execute_wrapper(killed_at(6)):
        import_run(import_id=job.pk, now=NOW)
    assert SegmentImport.objects.get(pk=job.pk).state == "running"
    assert not import_run(import_id=job.pk, now=later(30))
    assert import_run(import_id=job.pk, now=later(90))


def test_a_worker_who_was_overtaken_writes_nothing_more(brand, monkeypatch):
    people(brand, *[f"u{n}" for n in range(30)])
    segment = a_list(brand)
    job = received(segment, FILE)
    real = lookup._slice

    def overtaken(mine, clock):
        monkeypatch.setattr(lookup, "_slice", real)
        assert import_run(import_id=job.pk, now=later(600))  # somebody else, when the lease had run out
        return real(mine, clock)

    monkeypatch.setattr(lookup, "_slice", overtaken)
    assert not import_run(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert (job.state, job.attempt, job.added, job.done_lines) == ("done", 2, 23, 27)


def test_a_done_import_is_done_once(brand):
    people(brand, "u2")
    segment = a_list(brand)
    job = received(segment, FILE)
    run_import(job.pk)
    segment.entries.all().delete()
    run_import(job.pk)
    run_import(job.pk + 1000)
    assert members(segment) == set()


def test_a_lost_job_is_queued_again(brand, queued, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = received(a_list(brand), FILE)
    assert queued == [("segments.tasks.run_import", job.pk)]
    with django_capture_on_commit_callbacks(execute=True):
        assert imports_resume(now=later(5)) == 0
        assert imports_resume(now=later(30)) == 1
        assert imports_resume(now=later(31)) == 0
    assert len(queued) == 2


def test_an_import_whose_worker_died_is_found_again(brand, queued, django_capture_on_commit_callbacks):
    people(brand, "u2")
    job = received(a_list(brand), FILE)
    with pytest.raises(Killed), connection.execute_wrapper(killed_at(6)):
        import_run(import_id=job.pk, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        assert imports_resume(now=later(90)) == 1
    assert queued == [("segments.tasks.run_import", job.pk)]
    assert import_run(import_id=job.pk, now=later(91))


def test_an_upload_whose_server_died_ends_as_failed(brand):
    segment = a_list(brand)
    with pytest.raises(Killed), connection.execute_wrapper(killed_at(2)):
        received(segment, FILE)
    assert SegmentImport.objects.get().state == "receiving"
    assert not ImportLine.objects.exists()
    assert imports_resume(now=later(30)) == 0
    assert imports_resume(now=later(90)) == 1
    job = SegmentImport.objects.get()
    assert job.state == "failed"
    assert "cut off" in job.error
    assert received(segment, FILE).state == "waiting"


def test_an_import_that_never_comes_to_its_end_is_given_up(brand):
    job = received(a_list(brand), FILE)
    SegmentImport.objects.filter(pk=job.pk).update(attempt=lookup.MAX_ATTEMPTS)
    assert not import_run(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    assert job.state == "failed"
    assert not ImportLine.objects.exists()


def test_a_long_import_is_handed_to_the_next_job_with_what_it_has(
    brand, queued, monkeypatch, django_capture_on_commit_callbacks
):
    people(brand, *[f"u{n}" for n in range(30)])
    monkeypatch.setattr(lookup, "_LAST_START_SECONDS", -1.0)
    with django_capture_on_commit_callbacks(execute=True):
        segment = a_list(brand)
        job = received(segment, FILE)
        for done in (10, 20, 27):
            assert not import_run(import_id=job.pk, now=NOW)
            job.refresh_from_db()
            assert (job.state, job.done_lines) == ("waiting", done)
        assert members(segment) == set()
        assert import_run(import_id=job.pk, now=NOW)
    assert len(members(segment)) == 23
    assert len(queued) == 4
