"""What campaigns know of a person goes with the person."""

from datetime import datetime

from django.db import transaction

from campaigns.advance import enrolments_exit
from campaigns.models import Enrolment
from devices.lifecycle.steps import Erasure, Step
from smartpush.common.database import statements

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
    statements.written(_STEPS, {"person": end_user_id})
    journeys = statements.written(_RUNS, {"person": end_user_id})
    statements.written(_GUARDS, {"person": end_user_id})
    return journeys


def _erase(erasure: Erasure) -> None:
    person_forget(end_user_id=erasure.end_user.pk, now=erasure.now)


ERASE_STEP = Step("journeys and entry guards", ("campaigns_enrolment", "campaigns_entryguard"), _erase)
