"""The one typed registry of what a segment can ask about an end user; apps above register theirs in `ready()`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import F, Q, QuerySet

from devices.models import Device, PushStatus, Status

MAX_VALUES = 100
MAX_MARKER = 64


class Kind(StrEnum):
    CHOICE = "choice"
    BOOLEAN = "boolean"
    MARKERS = "markers"
    LANGUAGE = "language"


@dataclass(frozen=True)
class Operator:
    """`many` operators take a list of values, the others one."""

    name: str
    label: str
    many: bool = False


OPERATORS: dict[Kind, tuple[Operator, ...]] = {
    Kind.CHOICE: (
        Operator("is", "is"),
        Operator("is_not", "is not"),
        Operator("is_any_of", "is any of", many=True),
    ),
    Kind.BOOLEAN: (Operator("is", "is"),),
    Kind.MARKERS: (
        Operator("has", "has"),
        Operator("has_any", "has any of", many=True),
        Operator("has_all", "has all of", many=True),
        Operator("has_none", "has none of", many=True),
    ),
    Kind.LANGUAGE: (
        Operator("is", "is"),
        Operator("is_not", "is not"),
        Operator("is_any_of", "is any of", many=True),
    ),
}


@dataclass(frozen=True)
class Rows:
    """Rows of another table that speak of an end user named by `column`."""

    queryset: QuerySet[Any]
    column: str


@dataclass(frozen=True)
class Related:
    """True of an end user who has a row in any of these sets."""

    rows: tuple[Rows, ...]


@dataclass(frozen=True)
class Never:
    """The opposite of a Related."""

    related: Related


@dataclass(frozen=True)
class Context:
    """What a condition is compiled for."""

    brand_id: int
    now: datetime


# A condition is a Q on EndUser's own columns (none of them null in its comparison), or a set of related rows.
Condition = Q | Related | Never
Build = Callable[[str, Any, Context], Condition]


@dataclass(frozen=True)
class Field:
    name: str
    label: str
    kind: Kind
    build: Build
    choices: tuple[tuple[str, str], ...] = ()
    group: str = "Core"
    help: str = ""

    @property
    def operators(self) -> tuple[Operator, ...]:
        """What may be asked of a field of this kind."""
        return OPERATORS[self.kind]

    def operator(self, name: object) -> Operator | None:
        """The operator of this name, if the field has it."""
        return next((item for item in self.operators if item.name == name), None)


_fields: dict[str, Field] = {}


def register(field: Field) -> None:
    """Add a field; a name can be taken once."""
    if field.name in _fields:
        raise ValueError(f"There is a segment field named {field.name} already.")
    _fields[field.name] = field


def get(name: object) -> Field | None:
    """The field of this name."""
    return _fields.get(name) if isinstance(name, str) else None


def all_fields() -> Sequence[Field]:
    """Every registered field, in order of registration."""
    return list(_fields.values())


_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,3}\Z")


def clean_value(field: Field, operator: Operator, value: object) -> Any:
    """The value in its stored form (str, bool or tuple of str); raises ValueError with what to do instead."""
    if not operator.many:
        return _clean_one(field, value)
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("Give at least one value.")
    if len(value) > MAX_VALUES:
        raise ValueError(f"Give {MAX_VALUES} values at most.")
    return tuple(dict.fromkeys(_clean_one(field, item) for item in value))


def _clean_one(field: Field, value: object) -> Any:
    if field.kind is Kind.BOOLEAN:
        if not isinstance(value, bool):
            raise ValueError("Choose yes or no.")
        return value
    if not isinstance(value, str) or not value.strip():
        raise ValueError("Give a value.")
    text = value.strip()
    if field.kind is Kind.CHOICE:
        if text not in {name for name, _ in field.choices}:
            raise ValueError(f"{text} is not one of the choices.")
        return text
    if field.kind is Kind.LANGUAGE:
        if not _LANGUAGE.match(text):
            raise ValueError(f"{text} is not a language such as en or pt-BR.")
        return text.lower()
    text = text.upper()
    if len(text) > MAX_MARKER or "\x00" in text:
        raise ValueError(f"A marker has {MAX_MARKER} characters at most.")
    return text


def _last_session_status(operator: str, value: Any, context: Context) -> Condition:
    if operator == "is_any_of":
        return Q(last_session_status__in=list(value))
    wanted = Q(last_session_status=value)
    return ~wanted if operator == "is_not" else wanted


def _push_enabled(operator: str, value: Any, context: Context) -> Condition:
    """Holder of a device with a live token whose pair is allowed."""
    pairs = PushStatus.objects.filter(
        brand_id=context.brand_id,
        status=Status.ALLOWED,
        device__token_hash__isnull=False,
        device__holder_id=F("end_user_id"),
    )
    related = Related((Rows(pairs, "end_user_id"),))
    return related if value else Never(related)


def _platform(operator: str, value: Any, context: Context) -> Condition:
    """A device is an end user's while its pushes are theirs or it is in their session."""
    platforms = list(value) if operator == "is_any_of" else [value]
    devices = Device.objects.filter(brand_id=context.brand_id, platform__in=platforms)
    related = Related((Rows(devices, "holder_id"), Rows(devices, "session_end_user_id")))
    return Never(related) if operator == "is_not" else related


def _language(operator: str, value: Any, context: Context) -> Condition:
    """`en` is also en-GB."""
    wanted = Q()
    for language in value if operator == "is_any_of" else [value]:
        wanted |= Q(language__iexact=language) | Q(language__istartswith=f"{language}-")
    return ~wanted if operator == "is_not" else wanted


def _is_anonymous(operator: str, value: Any, context: Context) -> Condition:
    return Q(external_id__isnull=value)


def _markers(column: str) -> Build:
    def build(operator: str, value: Any, context: Context) -> Condition:
        if operator == "has":
            return Q((f"{column}__contains", [value]))
        if operator == "has_all":
            return Q((f"{column}__contains", list(value)))
        overlap = Q((f"{column}__overlap", list(value)))
        return ~overlap if operator == "has_none" else overlap

    return build


for _field in (
    Field(
        "push_status_last_session",
        "Push status of the last session",
        Kind.CHOICE,
        _last_session_status,
        tuple((str(value), str(label)) for value, label in Status.choices),
        help="What the most recent session reported; Ask when there was none.",
    ),
    Field(
        "push_enabled",
        "Push enabled, user has at least one device",
        Kind.BOOLEAN,
        _push_enabled,
        help="A push would reach the end user now: a device that allows it, with a live token.",
    ),
    Field("js_markers", "JS markers", Kind.MARKERS, _markers("js_markers"), group="Markers"),
    Field("external_markers", "External markers", Kind.MARKERS, _markers("external_markers"), group="Markers"),
    Field(
        "backoffice_markers",
        "Back-office markers",
        Kind.MARKERS,
        _markers("backoffice_markers"),
        group="Markers",
    ),
    Field(
        "platform",
        "Platform of any device",
        Kind.CHOICE,
        _platform,
        tuple((str(value), str(label)) for value, label in Device.Platform.choices),
        group="Devices",
    ),
    Field("language", "Language", Kind.LANGUAGE, _language, group="Profile", help="en is also en-GB."),
    Field(
        "is_anonymous",
        "Anonymous visitor",
        Kind.BOOLEAN,
        _is_anonymous,
        group="Profile",
        help="Has not logged in yet.",
    ),
):
    register(_field)
