"""Rows of bulk calls, checked by hand: ten thousand of them pass in a fraction of what serializers take."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from devices.brands.models.brands import TIME_ZONES
from devices.lifecycle.server_events import ServerEvent, age_problem
from devices.lifecycle.users import UserInput
from devices.models import TargetDevices
from devices.people.services.external_ids import CannotUseExternalId, external_id_clean
from devices.people.services.markers import MAX_MARKERS, CannotChangeMarkers, marker_clean
from smartpush.common.calls.errors import ApiError
from smartpush.common.language.languages import language_clean
from smartpush.common.numbers import number_fits
from smartpush.common.time.moments import CannotReadMoment, instant_read

MAX_ROWS = 10_000
MAX_PROPERTIES = 64  # a row
MAX_PROPERTIES_BYTES = 8192
_EVENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:\-]{0,63}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_MARKER_OPERATIONS = ("replace", "add", "remove")
_USER_FIELDS = frozenset(
    {
        "external_id",
        "language",
        "time_zone",
        "country",
        "target_devices",
        "platform_opt_out",
        "never_contact",
        "properties",
        "markers",
    }
)
_EVENT_FIELDS = frozenset({"id", "external_id", "name", "properties", "occurred_at", "historical"})
_TRIGGER_FIELDS = frozenset({"external_id", "data"})


class RowRefused(Exception):
    """What is wrong with one row: a code for programs, a sentence that begins with the field for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def rows_in(body: Any, name: str, *, others: frozenset[str] = frozenset()) -> tuple[Sequence[Any], dict[str, Any]]:
    """The list of rows of a body, and what else it says; raises ApiError when there are no rows, or too many."""
    if not isinstance(body, dict):
        raise ApiError(400, "invalid_request", "The body is a JSON object.", fields={name: ["Give a list."]})
    unknown = sorted(set(body) - others - {name})
    if unknown:
        raise ApiError(
            400,
            "invalid_request",
            "The request is not valid; see fields.",
            fields={unknown[0][:64]: ["Not known here."]},
        )
    rows = body.get(name)
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_ROWS:
        raise ApiError(
            400,
            "invalid_request",
            "The request is not valid; see fields.",
            fields={name: [f"Give a list of 1 to {MAX_ROWS} rows."]},
        )
    return rows, {key: value for key, value in body.items() if key != name}


def _object(row: Any, fields: frozenset[str]) -> Mapping[str, Any]:
    if not isinstance(row, dict):
        raise RowRefused("invalid_row", "A row is a JSON object.")
    if not row.keys() <= fields:
        raise RowRefused("invalid_row", f"{sorted(set(row) - fields)[0][:64]}: not known here.")
    return row


def external_id_checked(value: Any) -> str:
    """An external id as it is stored, without blanks around it; raises RowRefused."""
    if not isinstance(value, str):
        raise RowRefused("invalid_external_id", "external_id: text of 1 to 255 characters.")
    try:
        return external_id_clean(value)
    except CannotUseExternalId as problem:
        raise RowRefused("invalid_external_id", f"external_id: {problem}") from None


def properties_checked(value: Any, name: str = "properties") -> Mapping[str, Any]:
    """A flat object of text, numbers, booleans and nulls; raises RowRefused."""
    if not isinstance(value, dict):
        raise RowRefused("invalid_row", f"{name}: give an object of names and values.")
    if not value:
        return value
    if len(value) > MAX_PROPERTIES:
        raise RowRefused("invalid_row", f"{name}: {MAX_PROPERTIES} at most.")
    for key, one in value.items():
        if not 1 <= len(key) <= 64 or "\x00" in key:
            raise RowRefused("invalid_row", f"{name}: a name has 1 to 64 characters.")
        if isinstance(one, str):
            if "\x00" in one:
                raise RowRefused("invalid_row", f"{name}.{key}: NUL characters cannot be kept.")
        elif isinstance(one, int | float):
            if not number_fits(one):
                raise RowRefused("invalid_row", f"{name}.{key}: the number is too large.")
        elif one is not None:
            raise RowRefused("invalid_row", f"{name}.{key}: only text, numbers, true, false and null are kept.")
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_PROPERTIES_BYTES:
        raise RowRefused("invalid_row", f"{name}: {MAX_PROPERTIES_BYTES} bytes at most.")
    return value


def _text(row: Mapping[str, Any], name: str, good: Callable[[str], Any], what: str) -> str | None:
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or (value and not good(value)):
        raise RowRefused("invalid_row", f"{name}: {what}")
    return value


def _language(row: Mapping[str, Any]) -> str | None:
    text = _text(row, "language", language_clean, "a language such as en, el or pt-BR.")
    return None if text is None else language_clean(text)


def _flag(row: Mapping[str, Any], name: str) -> bool | None:
    value = row.get(name)
    if value is not None and not isinstance(value, bool):
        raise RowRefused("invalid_row", f"{name}: true or false.")
    return value


def _markers(value: Any) -> list[tuple[str, list[str]]]:
    if not isinstance(value, dict) or not value.keys() <= set(_MARKER_OPERATIONS):
        raise RowRefused("invalid_row", "markers: an object of add, remove and replace.")
    operations = []
    for operation in _MARKER_OPERATIONS:
        if operation in value:
            operations.append((operation, markers_checked(value[operation], f"markers.{operation}")))
    return operations


def markers_checked(value: Any, name: str = "markers") -> list[str]:
    """Cleaned markers; raises RowRefused."""
    if not isinstance(value, list) or len(value) > MAX_MARKERS:
        raise RowRefused("invalid_marker", f"{name}: a list of {MAX_MARKERS} markers at most.")
    try:
        return [marker_clean(marker if isinstance(marker, str) else "") for marker in value]
    except CannotChangeMarkers as problem:
        raise RowRefused("invalid_marker", f"{name}: {problem}") from None


def user_row(index: int, raw: Any, *, external_id: str | None = None) -> UserInput:
    """One end user of a bulk upsert, or the body of a change whose external id is in the address."""
    row = _object(raw, _USER_FIELDS if external_id is None else _USER_FIELDS - {"external_id"})
    person = external_id_checked(row.get("external_id")) if external_id is None else external_id
    target = row.get("target_devices")
    if target is not None and target not in TargetDevices.values:
        raise RowRefused("invalid_row", f"target_devices: one of {', '.join(TargetDevices.values)}.")
    properties = row.get("properties")
    markers = row.get("markers")
    return UserInput(
        index=index,
        external_id=person,
        language=_language(row),
        time_zone=_text(row, "time_zone", TIME_ZONES.__contains__, "an IANA zone such as Europe/Athens."),
        country=_text(row, "country", _COUNTRY.fullmatch, "two capital letters of ISO 3166, such as GR."),
        target_devices=target,
        opted_out=_flag(row, "platform_opt_out"),
        never_contact=_flag(row, "never_contact"),
        properties={} if properties is None else properties_checked(properties),
        markers=[] if markers is None else _markers(markers),
    )


def moment(value: Any, name: str) -> datetime:
    """An ISO 8601 time with its offset, in UTC; raises RowRefused."""
    try:
        return instant_read(value)
    except CannotReadMoment as problem:
        raise RowRefused("invalid_row", f"{name}: {problem}") from None


def event_row(index: int, raw: Any, *, historical: bool, now: datetime) -> ServerEvent:
    """One event of a bulk call; `historical` is what the whole call says."""
    row = _object(raw, _EVENT_FIELDS)
    number, name, own = row.get("id"), row.get("name"), row.get("historical")
    if not isinstance(number, str) or not 1 <= len(number) <= 128 or "\x00" in number:
        raise RowRefused("invalid_row", "id: your own id of the event, 1 to 128 characters of text.")
    if not isinstance(name, str) or not _EVENT_NAME.fullmatch(name):
        raise RowRefused("invalid_row", "name: letters, digits, spaces and _ . : - only, 64 characters at most.")
    if own is not None and not isinstance(own, bool):
        raise RowRefused("invalid_row", "historical: true or false.")
    person = external_id_checked(row.get("external_id"))
    at = now if row.get("occurred_at") is None else moment(row["occurred_at"], "occurred_at")
    old = historical if own is None else own
    problem = age_problem(occurred_at=at, historical=old, now=now)
    if problem is not None:
        raise RowRefused(*problem)
    properties = row.get("properties")
    return ServerEvent(
        index=index,
        id=number,
        external_id=person,
        name=name,
        occurred_at=at,
        properties={} if properties is None else properties_checked(properties),
        historical=old,
    )


def trigger_row(raw: Any, *, shared: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """External id and data of one end user who is to enter a campaign."""
    row = _object(raw, _TRIGGER_FIELDS)
    own = row.get("data")
    return external_id_checked(row.get("external_id")), {
        **shared,
        **({} if own is None else properties_checked(own, "data")),
    }
