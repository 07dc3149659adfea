"""A valid flow to flat steps, as the engine joins them in SQL."""

from dataclasses import dataclass
from typing import Any

from campaigns.journey.parse import Activity, Flow

# A popup that never reached a page (nobody came, another popup was in the way all the time, the person has opted out),
# or was taken back, takes the branch of one that got no answer: to the journey it is the same.
_LIKE_NO_ANSWER = ("expired", "busy", "opted_out", "cancelled")


@dataclass(frozen=True, slots=True)
class Step:
    """One activity of a version; `next` maps outcomes to keys, `*` stands for all others, absent ends the enrolment."""

    key: str
    kind: str
    resource: int | None
    seconds: int
    target_devices: str
    next: dict[str, str]


def compile_flow(*, flow: Flow) -> list[Step]:
    """The steps of a flow that has no problems."""
    return [
        Step(
            key=activity.key,
            kind=activity.kind,
            resource=activity.resource,
            seconds=activity.seconds,
            target_devices=activity.target_devices,
            next=_branches(activity),
        )
        for activity in flow.activities
    ]


def _branches(activity: Activity) -> dict[str, str]:
    branches = dict(activity.next)
    if "no_answer" in branches:
        branches |= dict.fromkeys(_LIKE_NO_ANSWER, branches["no_answer"])
    return branches


def graph_of(*, flow: Flow, steps: list[Step]) -> dict[str, Any]:
    """What a version keeps as its compiled graph (JSON)."""
    return {
        "version": 1,
        "start": flow.start,
        "steps": {
            step.key: {
                "kind": step.kind,
                "resource": step.resource,
                "seconds": step.seconds,
                "target_devices": step.target_devices,
                "next": step.next,
            }
            for step in steps
        },
    }
