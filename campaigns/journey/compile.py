"""A valid flow to flat steps, as the engine joins them in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from campaigns.journey.parse import VERSION, Activity, Flow


@dataclass(frozen=True, slots=True)
class Step:
    """One activity of a version; `next` maps outcomes to keys, `*` stands for all others, absent ends the enrolment."""

    key: str
    kind: str
    seconds: int
    settings: Mapping[str, Any]
    next: Mapping[str, str]


def compile_flow(*, flow: Flow) -> list[Step]:
    """The steps of a flow that has no problems."""
    return [
        Step(
            key=activity.key,
            kind=activity.kind.name,
            seconds=activity.kind.seconds(activity.settings),
            settings=asdict(activity.settings),
            next=_branches(activity),
        )
        for activity in flow.activities
    ]


def _branches(activity: Activity) -> dict[str, str]:
    hidden = {
        outcome: activity.next[branch] for outcome, branch in activity.kind.like.items() if branch in activity.next
    }
    return {**activity.next, **hidden}


def graph_of(*, flow: Flow, steps: Sequence[Step]) -> dict[str, Any]:
    """What a version keeps as its compiled graph (JSON)."""
    return {
        "version": VERSION,
        "start": flow.start,
        "steps": {
            step.key: {
                "kind": step.kind,
                "seconds": step.seconds,
                "settings": dict(step.settings),
                "next": dict(step.next),
            }
            for step in steps
        },
    }
