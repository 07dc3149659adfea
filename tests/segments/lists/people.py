"""A brand with end users by the thousand, and a list of it."""

import io
from datetime import UTC, datetime, timedelta

from devices.models import Brand, EndUser
from segments.models import ListEntry, Segment, SegmentImport
from segments.services.imports import import_receive, import_run

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def people(brand: Brand, *names: str) -> dict[str, EndUser]:
    made = EndUser.objects.bulk_create([EndUser(brand=brand, external_id=name) for name in names])
    return {str(end_user.external_id): end_user for end_user in made}


def a_list(brand: Brand, *end_users: EndUser, name: str = "VIP list") -> Segment:
    segment = Segment.objects.create(brand=brand, name=name, kind="imported")
    ListEntry.objects.bulk_create([ListEntry(segment=segment, end_user=end_user) for end_user in end_users])
    return segment


def members(segment: Segment) -> set[str | None]:
    return set(ListEntry.objects.filter(segment=segment).values_list("end_user__external_id", flat=True))


def received(segment: Segment, content: str | bytes, *, mode="add", name="ids.csv", asks=False) -> SegmentImport:
    raw = content.encode() if isinstance(content, str) else content
    return import_receive(
        segment=segment, mode=mode, stream=io.BytesIO(raw), file_name=name, by=None, now=NOW, asks=asks
    )


def imported(segment: Segment, content: str | bytes, *, mode="add", name="ids.csv") -> SegmentImport:
    job = received(segment, content, mode=mode, name=name)
    if job.state == "waiting":
        import_run(import_id=job.pk, now=NOW)
    job.refresh_from_db()
    return job
