"""Imported segments, and imports in each state."""

import io
from datetime import timedelta

from segments.models import Segment, SegmentImport
from segments.services.imports import import_cancel, import_receive, import_run
from segments.services.imports.lookup import _claim, _slice
from segments.services.lists import list_save
from tests.upgrades.scene.stage import Channel, Stage

_FILE = b"external_id\nfrom-server-0\nfrom-server-1\nfrom-server-1\nnobody-has-this\n"


def lists_make(stage: Stage, channel: Channel) -> None:
    """One list an import: done and changed again, failed, cancelled, asking, waiting, cut off, being matched."""

    def upload(name: str, data: bytes = _FILE, **fields: object) -> SegmentImport:
        segment = Segment.objects.filter(brand=channel.brand, name=name).first() or list_save(
            brand=channel.brand, name=name, by=stage.staff["editor"]
        )
        fields = {"mode": "add", "file_name": "ids.csv", **fields}
        return import_receive(
            segment=segment, stream=io.BytesIO(data), by=stage.staff["editor"], now=stage.now, **fields
        )

    for mode, data in (("add", _FILE), ("remove", b"from-server-1\n"), ("replace", b"from-server-2\n")):
        assert import_run(import_id=upload("List: done", data, mode=mode).pk, now=stage.now)
    upload("List: failed", b"\x00\xff\xfe nothing that is an id \x00")
    import_cancel(job=upload("List: cancelled"), now=stage.now)
    import_run(import_id=upload("List: asking", asks=True).pk, now=stage.now)
    upload("List: waiting")
    # As a web process that was killed in the middle of an upload leaves it.
    cut_off = list_save(brand=channel.brand, name="List: receiving", by=stage.staff["editor"])
    SegmentImport.objects.create(
        segment=cut_off, mode="add", file_name="ids.csv", created_at=stage.now, leased_until=stage.now
    )
    # As a worker that was killed after its first slice leaves it.
    job = _claim(upload("List: running").pk, stage.now - timedelta(minutes=5))
    assert job is not None
    assert _slice(job, lambda: stage.now - timedelta(minutes=5))
    states = SegmentImport.objects.filter(segment__brand=channel.brand).values_list("state", flat=True)
    assert set(states) == set(SegmentImport.State.values)
