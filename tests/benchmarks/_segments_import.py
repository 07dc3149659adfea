"""One import in a process of its own: how long it takes, what memory it needs, and the same by hand.

`python -m tests.benchmarks._segments_import FILE` prints JSON.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

import django


class _Memory:
    """What the process holds, looked at every few milliseconds."""

    def __init__(self) -> None:
        self.before = self.most = _resident_kb()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            self.most = max(self.most, _resident_kb())

    def end(self) -> dict[str, int]:
        self._over.set()
        self._thread.join()
        return {"before_kb": self.before, "max_kb": self.most, "after_kb": _resident_kb()}


def _resident_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def main(file: Path) -> dict[str, float]:
    """Import the file, by the product and by hand."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smartpush.settings")
    django.setup()
    # Django is set up only now.
    from django.db import connection  # noqa: PLC0415

    from segments.models import Segment, SegmentImport  # noqa: PLC0415
    from segments.services.imports import import_receive, import_run  # noqa: PLC0415
    from tests.benchmarks._segments_data import BRAND, NOW  # noqa: PLC0415

    name = f"Imported {time.time_ns()}"
    segment = Segment.objects.create(brand_id=BRAND, name=name, kind=Segment.Kind.IMPORTED)
    memory, began = _Memory(), time.perf_counter()
    with file.open("rb") as stream:
        job = import_receive(segment=segment, mode="add", stream=stream, file_name=file.name, by=None, now=NOW)
    received = time.perf_counter() - began
    # The next job goes on with what a worker hands over.
    while not import_run(import_id=job.pk, now=NOW):
        job.refresh_from_db()
        if job.state not in (SegmentImport.State.WAITING, SegmentImport.State.RUNNING):
            raise SystemExit(f"the import ended as {job.state}: {job.error}")
    ran = time.perf_counter() - began - received
    held = memory.end()
    job.refresh_from_db()
    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE ids (external_id text)")
        with cursor.copy("COPY ids FROM STDIN (HEADER, FORMAT csv)") as copy, file.open("rb") as stream:
            while piece := stream.read(1 << 16):
                copy.write(piece)
        cursor.execute(
            "CREATE TABLE by_hand AS SELECT DISTINCT u.id FROM ids JOIN devices_enduser u"
            f" ON u.brand_id = {BRAND} AND u.external_id = ids.external_id;"
            " ALTER TABLE by_hand ADD PRIMARY KEY (id); SELECT count(*) FROM by_hand"
        )
        by_hand = time.perf_counter() - began
        cursor.execute("SELECT count(*) FROM by_hand")
        if cursor.fetchone()[0] != job.added:
            print(f"by hand the list has another length than {job.added}", file=sys.stderr)
        cursor.execute("DROP TABLE by_hand")
    return {
        "receive_seconds": received, "run_seconds": ran, "by_hand_seconds": by_hand, "lines": job.lines,
        "added": job.added, "unknown": job.unknown, "repeated": job.repeated, **held,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
