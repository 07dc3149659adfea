"""How push services are doing, for all processes and brands: what one finds out, the others act on."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import connection

from devices.brands.models import Incident
from devices.brands.services.incidents import incident_end, incident_note
from devices.delivery.models import OriginHealth
from devices.delivery.transports.origin_queues import Record

KEEP = timedelta(days=1)

# What one process has found out. In the order of origins: several processes write at once.
_WRITE_SQL = """
INSERT INTO devices_originhealth AS h (origin, silences, errors, reason, open_until, updated_at)
SELECT r.origin, r.silences, r.errors, r.reason, r.open_until, %(now)s
FROM unnest(%(origins)s::text[], %(silences)s::int[], %(errors)s::int[], %(reasons)s::text[],
            %(untils)s::timestamptz[]) AS r(origin, silences, errors, reason, open_until)
ORDER BY r.origin
ON CONFLICT (origin) DO UPDATE SET silences = excluded.silences, errors = excluded.errors, reason = excluded.reason,
    open_until = excluded.open_until, updated_at = excluded.updated_at
"""


def records_write(*, records: Mapping[str, Record], now: datetime, clock: float) -> None:
    """Keep what a process has found out; `clock` is the time of its wire that is `now`. Opens and closes incidents."""
    if not records:
        return
    origins = sorted(records)
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE_SQL,
            {
                "origins": origins,
                "silences": [records[origin].silences for origin in origins],
                "errors": [records[origin].errors for origin in origins],
                "reasons": [records[origin].reason for origin in origins],
                "untils": [
                    now + timedelta(seconds=records[origin].open_until - clock) if records[origin].open_until else None
                    for origin in origins
                ],
                "now": now,
            },
        )
    for origin in origins:
        record = records[origin]
        if record.open_until:
            kind = Incident.Kind.SERVICE_SILENT if record.silences else Incident.Kind.SERVICE_FAILS
            incident_note(kind=kind, brand_id=None, subject=origin, now=now, detail=record.reason)
        elif not record.silences and not record.errors:
            for kind in (Incident.Kind.SERVICE_SILENT, Incident.Kind.SERVICE_FAILS):
                incident_end(kind=kind, brand_id=None, subject=origin, now=now)


def records_read(*, origins: Collection[str], now: datetime, clock: float) -> dict[str, Record]:
    """Return what is known of these push services, in the time of a wire whose clock says `clock` now."""
    return {
        row.origin: Record(
            silences=row.silences,
            errors=row.errors,
            open_until=clock + (row.open_until - now).total_seconds() if row.open_until else 0.0,
            reason=row.reason,
        )
        for row in OriginHealth.objects.filter(origin__in=origins)
    }


def records_forget_old(*, now: datetime) -> int:
    """Remove push services that nothing was found out about for a day; returns how many."""
    removed, _ = OriginHealth.objects.filter(updated_at__lt=now - KEEP).delete()
    return removed
