"""What a kind of activity is, as data: its settings with their widgets, its outcomes, its words. No Django here.

Each folder of `campaigns/activities/` describes its kind with these; parser, validation, review and editor read nothing
else, so that none of them knows a kind by name.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

ANY_OUTCOME = "*"
"""The branch of an activity with one way on; it stands for every outcome that has no branch of its own."""


class Widget(StrEnum):
    """The fields that the editor can draw. The list is closed: an activity uses these, and brings none of its own."""

    TEXT = "text"
    NUMBER = "number"
    DURATION = "duration"
    CHOICE = "choice"
    RESOURCE = "resource"


class Group(StrEnum):
    """The headings under which the editor offers activities, in this order."""

    MESSAGES = "Messages"
    FLOW = "Flow control"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of an activity and how it is edited.

    `least` and `most` bound a number, the seconds of a duration, or the characters of a text; `bounds` is what is said
    outside of them. `empty` says what leaving it out means; without it, a value must be given.
    """

    label: str
    widget: Widget
    choices: tuple[tuple[str, str], ...] = ()
    least: int = 0
    most: int = 0
    bounds: str = ""
    empty: str = ""
    default: Any = None


def setting(label: str, widget: Widget, *, default: Any = None, **how: Any) -> Any:
    """Declare a field of a settings class (a frozen dataclass); `how` are the other fields of Setting."""
    described = Setting(label=label, widget=widget, default=default, **how)
    return dataclasses.field(default=default, metadata={"setting": described})


@dataclass(frozen=True, slots=True)
class NoSettings:
    """The settings of an activity that has none."""


def _none(_settings: Any) -> Iterable[tuple[str, str]]:
    return ()


def _no_seconds(_settings: Any) -> int:
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """The descriptor of one kind of activity.

    `outcomes` are (stored id, label), each with a branch of its own; none of them means one way on, *Then*. `says` are
    the words for outcomes without a branch of their own; `like` maps such an outcome to the branch that it takes.
    `ends`: nothing follows. `lets_time_pass`: a cycle through it comes to rest. `seconds` is the length that the engine
    and the messages read; `problems` are (code, sentence) pairs about the settings taken together; `sentence` says in a
    review what the activity does.
    """

    name: str
    title: str
    group: Group
    icon: str
    sentence: Callable[[Any], str]
    settings: type[Any] = NoSettings
    outcomes: tuple[tuple[str, str], ...] = ()
    says: Mapping[str, str] = dataclasses.field(default_factory=lambda: {"done": "Done"})
    like: Mapping[str, str] = dataclasses.field(default_factory=dict)
    ends: bool = False
    lets_time_pass: bool = False
    seconds: Callable[[Any], int] = _no_seconds
    problems: Callable[[Any], Iterable[tuple[str, str]]] = _none

    @property
    def fields(self) -> dict[str, Setting]:
        """Its settings by name, in the order of the editor."""
        return {field.name: field.metadata["setting"] for field in dataclasses.fields(self.settings)}

    @property
    def branches(self) -> tuple[tuple[str, str], ...]:
        """The ways on, as (outcome, label)."""
        if self.ends:
            return ()
        return self.outcomes or ((ANY_OUTCOME, "Then"),)

    @property
    def resource_field(self) -> str:
        """The name of the setting that holds its resource; '' for a kind without one."""
        found = (name for name, field in self.fields.items() if field.widget is Widget.RESOURCE)
        return next(found, "")


Kinds = Mapping[str, Kind]
"""The kinds that a flow may use, by name."""


def setting_problem(*, field: Setting, value: Any) -> str:
    """Say what is wrong with a value that was read; empty where nothing is. Resources are checked with the brand's."""
    if value is None or (field.widget is Widget.DURATION and not value and field.empty):
        return "" if field.empty or field.widget is Widget.RESOURCE else field.bounds or f"{field.label} is missing."
    if field.widget in (Widget.NUMBER, Widget.DURATION) and not field.least <= value <= field.most:
        return field.bounds or f"{field.label}: from {field.least:,} to {field.most:,}."
    if field.widget is Widget.TEXT and not field.least <= len(value) <= field.most:
        return field.bounds or f"{field.label}: from {field.least:,} to {field.most:,} characters."
    return ""


def setting_read(*, field: Setting, value: Any) -> tuple[Any, bool]:
    """Return the value as the settings class holds it, and whether it could be read."""
    if value is None:
        return field.default, True
    match field.widget:
        case Widget.TEXT:
            return (value, True) if isinstance(value, str) else (field.default, False)
        case Widget.CHOICE:
            known = isinstance(value, str) and value in dict(field.choices)
            return (value, True) if known else (field.default, False)
        case _:
            whole = isinstance(value, int) and not isinstance(value, bool)
            return (value, True) if whole else (field.default, False)
