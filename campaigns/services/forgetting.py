"""What campaigns know of a person goes with the person."""

from datetime import datetime

from django.db import connection, transaction

from campaigns.advance import enrolments_exit
from campaigns.models import Enrolment

_STEPS = """
DELETE FROM campaigns_steprun s USING campaigns_enrolment e
WHERE e.end_user_id = %(person)s AND s.enrolment_id = e.id AND s.day = e.day
"""
_RUNS = "DELETE FROM campaigns_enrolment WHERE end_user_id = %(person)s"
_GUARDS = "DELETE FROM campaigns_entryguard WHERE end_user_id = %(person)s"


@transaction.atomic
def person_forget(*, end_user_id: int, now: datetime) -> int:
    """End and delete an end user's enrolments and entry guards; campaigns' totals fall by theirs. Returns how many."""
    open_runs = Enrolment.objects.filter(end_user_id=end_user_id, state=Enrolment.State.ACTIVE)
    enrolments_exit(ids=list(open_runs.values_list("pk", flat=True)), reason="erased", now=now)
    with connection.cursor() as cursor:
        cursor.execute(_STEPS, {"person": end_user_id})
        cursor.execute(_RUNS, {"person": end_user_id})
        runs = int(cursor.rowcount)
        cursor.execute(_GUARDS, {"person": end_user_id})
    return runs
