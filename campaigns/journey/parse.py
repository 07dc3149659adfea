"""The draft flow (JSON of the editor) to frozen dataclasses; what cannot be read becomes a problem, never an error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from devices.delivery.popup_outcomes import POPUP_OUTCOMES

KINDS = ("popup", "push", "delay", "stop")
TARGETS = ("all", "web", "native")
# Activities with one way out compile to this outcome: it stands for every outcome that has no branch of its own.
ANY_OUTCOME = "*"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a flow cannot be published: the activity's key ('' for the whole flow), a machine code, plain words."""

    key: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Activity:
    """One node. `next` maps outcomes to keys; an outcome without an entry ends the journey.

    `seconds`: how long a delay is, or how long a popup waits for its answer (0: as long as the popup resource says).
    """

    key: str
    kind: str
    resource: int | None = None
    seconds: int = 0
    target_devices: str = "all"
    next: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Flow:
    """A draft as far as it could be read, with what could not."""

    start: str
    activities: tuple[Activity, ...]
    problems: tuple[Problem, ...] = ()

    def activity(self, key: str) -> Activity | None:
        """The activity of this key, or None."""
        return next((activity for activity in self.activities if activity.key == key), None)


def parse(draft: Any) -> Flow:
    """Read a draft flow; an empty or broken one gives an empty flow with problems."""
    if not isinstance(draft, Mapping):
        return Flow("", (), (Problem("", "malformed", "The flow cannot be read."),))
    if draft and draft.get("version") != 1:
        problem = Problem("", "malformed", "The flow was saved by another version of the editor.")
        return Flow("", (), (problem,))
    rows = draft.get("activities", [])
    if not isinstance(rows, list):
        return Flow("", (), (Problem("", "malformed", "The flow's activities cannot be read."),))
    problems: list[Problem] = []
    activities: dict[str, Activity] = {}
    for number, row in enumerate(rows, start=1):
        activity = _activity(row, number, problems)
        if activity is None:
            continue
        if activity.key in activities:
            problems.append(Problem(activity.key, "duplicate_key", "Two activities have the same key."))
            continue
        activities[activity.key] = activity
    start = draft.get("start")
    return Flow(start if isinstance(start, str) else "", tuple(activities.values()), tuple(problems))


def _activity(row: Any, number: int, problems: list[Problem]) -> Activity | None:
    key = row.get("key") if isinstance(row, Mapping) else None
    if not isinstance(key, str) or not 0 < len(key) <= 16:
        problems.append(Problem("", "malformed", f"Activity number {number} cannot be read."))
        return None
    kind = row.get("kind")
    if kind not in KINDS:
        problems.append(Problem(key, "unknown_kind", f"There is no activity called {str(kind)[:40]!r}."))
        return None
    return Activity(
        key=key,
        kind=kind,
        resource=_whole(row, kind, problems, key) if kind in ("popup", "push") else None,
        seconds=_seconds(row, kind, problems, key),
        target_devices=_target(row, kind, problems, key),
        next=_next(row, kind, problems, key),
    )


def _whole(row: Mapping[str, Any], name: str, problems: list[Problem], key: str) -> int | None:
    value = row.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    problems.append(Problem(key, "malformed", f"The activity's {name} cannot be read."))
    return None


def _seconds(row: Mapping[str, Any], kind: str, problems: list[Problem], key: str) -> int:
    name = {"delay": "seconds", "popup": "timeout"}.get(kind)
    return 0 if name is None else _whole(row, name, problems, key) or 0


def _target(row: Mapping[str, Any], kind: str, problems: list[Problem], key: str) -> str:
    value = row.get("target_devices", "all")
    if kind != "push" or value in TARGETS:
        return str(value) if kind == "push" else "all"
    problems.append(Problem(key, "malformed", "Target devices must be All, Web or Native apps."))
    return "all"


def _next(row: Mapping[str, Any], kind: str, problems: list[Problem], key: str) -> dict[str, str]:
    if kind == "stop":
        return {}
    value = row.get("next")
    if kind != "popup":
        value = {ANY_OUTCOME: value}
    elif value is None:
        value = {}
    found: dict[str, str] = {}
    if not isinstance(value, Mapping):
        problems.append(Problem(key, "malformed", "The activity's branches cannot be read."))
        return found
    for outcome, target in value.items():
        if kind == "popup" and outcome not in POPUP_OUTCOMES:
            problems.append(Problem(key, "unknown_outcome", f"A popup has no outcome called {str(outcome)[:40]!r}."))
        elif target is None or target == "":
            continue
        elif not isinstance(target, str):
            problems.append(Problem(key, "malformed", "The activity's branches cannot be read."))
        else:
            found[outcome] = target
    return found
