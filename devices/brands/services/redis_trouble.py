"""Redis away is an incident: noted by each process that misses it, at most once in half a minute."""

from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import Error, transaction

from devices.brands.models import Incident
from devices.brands.services.incidents import incident_end, incident_note
from smartpush.common.redis_link import circuit
from smartpush.common.time.clock import utc_now

log = structlog.get_logger(__name__)


def redis_away_note(subject: str, missed: int, error: str) -> None:
    """Note that Redis did not answer `missed` calls of this process; never raises."""
    _write_after_commit(
        lambda now: incident_note(
            kind=Incident.Kind.REDIS_AWAY, brand_id=None, subject=subject, now=now, count=missed, detail=error
        )
    )


def redis_back_note(subject: str) -> None:
    """Close the incident; a process that still misses Redis opens another."""
    _write_after_commit(
        lambda now: incident_end(kind=Incident.Kind.REDIS_AWAY, brand_id=None, subject=subject, now=now)
    )


def _write_after_commit(write: Callable[[datetime], object]) -> None:
    def run() -> None:
        try:
            with transaction.atomic():
                write(utc_now())
        except Error as problem:  # the database may be away too: the log has it, and the call goes on
            log.error("incident_not_noted", error=str(problem))

    transaction.on_commit(run)  # at once where no transaction is open; what is rolled back is noted the next time


circuit.tell, circuit.back = redis_away_note, redis_back_note
