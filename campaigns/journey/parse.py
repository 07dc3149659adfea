"""The draft flow (JSON of the editor) to frozen dataclasses; what cannot be read becomes a problem, never an error."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from campaigns.journey.kinds import Kind, Kinds, setting_read

VERSION = 2
"""Of drafts and compiled graphs; `upgrade.py` makes it from the one before."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a flow cannot be published: the activity's key ('' for the whole flow), a machine code, plain words."""

    key: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Activity:
    """One node. `settings`: an instance of the kind's class; an outcome that is not in `next` ends the journey."""

    key: str
    kind: Kind
    settings: Any
    next: Mapping[str, str] = field(default_factory=dict)

    @property
    def resource(self) -> int | None:
        """The id of the resource that it sends or shows; None where none is chosen or the kind has none."""
        name = self.kind.resource_field
        return getattr(self.settings, name) if name else None


@dataclass(frozen=True, slots=True)
class Flow:
    """A draft as far as it could be read, with what could not."""

    start: str
    activities: tuple[Activity, ...]
    problems: tuple[Problem, ...] = ()

    def activity(self, key: str) -> Activity | None:
        """The activity of this key, or None."""
        return next((activity for activity in self.activities if activity.key == key), None)


def parse(draft: Any, *, kinds: Kinds) -> Flow:
    """Read a draft flow; an empty or broken one gives an empty flow with problems."""
    if not isinstance(draft, Mapping):
        return Flow("", (), (Problem("", "malformed", "The flow cannot be read."),))
    if draft and draft.get("version") != VERSION:
        text = "The flow was saved by another version of the editor. Reload the page and save it again."
        return Flow("", (), (Problem("", "malformed", text),))
    rows = draft.get("activities", [])
    if not isinstance(rows, list):
        return Flow("", (), (Problem("", "malformed", "The flow's activities cannot be read."),))
    problems: list[Problem] = []
    activities: dict[str, Activity] = {}
    for number, row in enumerate(rows, start=1):
        activity = _activity(row, number, kinds, problems)
        if activity is None:
            continue
        if activity.key in activities:
            problems.append(Problem(activity.key, "duplicate_key", "Two activities have the same key."))
            continue
        activities[activity.key] = activity
    start = draft.get("start")
    return Flow(start if isinstance(start, str) else "", tuple(activities.values()), tuple(problems))


def _activity(row: Any, number: int, kinds: Kinds, problems: list[Problem]) -> Activity | None:
    key = row.get("key") if isinstance(row, Mapping) else None
    if not isinstance(key, str) or not 0 < len(key) <= 16:
        problems.append(Problem("", "malformed", f"Activity number {number} cannot be read."))
        return None
    name = row.get("kind")
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        problems.append(Problem(key, "unknown_kind", f"There is no activity called {str(name)[:40]!r}."))
        return None
    return Activity(
        key=key, kind=kind, settings=_settings(row, kind, key, problems), next=_next(row, kind, key, problems)
    )


def _settings(row: Mapping[str, Any], kind: Kind, key: str, problems: list[Problem]) -> Any:
    given = row.get("settings", {})
    if not isinstance(given, Mapping) or not given.keys() <= kind.fields.keys():
        problems.append(Problem(key, "malformed", "The activity's settings cannot be read."))
        return kind.settings()
    values = {}
    for name, described in kind.fields.items():
        values[name], readable = setting_read(field=described, value=given.get(name))
        if not readable:
            problems.append(Problem(key, "malformed", f"{described.label} cannot be read. Choose it again."))
    return kind.settings(**values)


def _next(row: Mapping[str, Any], kind: Kind, key: str, problems: list[Problem]) -> dict[str, str]:
    ways = row.get("next")
    if ways is None:
        return {}
    if not isinstance(ways, Mapping):
        problems.append(Problem(key, "malformed", "The activity's branches cannot be read."))
        return {}
    known = dict(kind.branches)
    found: dict[str, str] = {}
    for outcome, target in ways.items():
        if outcome not in known:
            text = f"{kind.title} has no outcome called {str(outcome)[:40]!r}."
            problems.append(Problem(key, "unknown_outcome", text))
        elif target is None or target == "":
            continue
        elif not isinstance(target, str):
            problems.append(Problem(key, "malformed", "The activity's branches cannot be read."))
        else:
            found[outcome] = target
    return found
