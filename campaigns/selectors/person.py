"""What campaigns know of one person, row after row."""

from collections.abc import Iterator
from typing import Any

from campaigns.models import Enrolment, StepRun
from smartpush.common.ids import public_id


def runs_of(*, end_user_id: int) -> Iterator[dict[str, Any]]:
    """Return the person's enrolments with their steps, oldest first."""
    found = Enrolment.objects.filter(end_user_id=end_user_id).select_related("campaign", "version").order_by("pk")
    for run in found.defer("campaign__flow", "version__graph", "version__entry").iterator(chunk_size=200):
        steps = StepRun.objects.filter(enrolment_id=run.pk, day=run.day).order_by("step_seq")
        yield {
            "campaign": {"id": public_id("campaign", run.campaign_id), "name": run.campaign.name},
            "version": run.version.number,
            "state": run.state,
            "exit_reason": run.exit_reason,
            "data": run.variables,
            "entered_at": run.entered_at,
            "finished_at": run.finished_at,
            "steps": [
                {"activity": step.key, "kind": step.kind, "outcome": step.outcome, "at": step.ran_at} for step in steps
            ],
        }
