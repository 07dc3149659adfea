"""Read a moment in ISO 8601 as programs write it: the one reader of every surface of the API.

Taken: the extended and the basic form, `T`, `t` or a blank before the time, seconds with any number of digits after a
point or comma (what is finer than a microsecond is cut), and an offset as `Z`, `z`, `+01:00`, `+0100` or `+01`.
`segments_date_in` reads the extended form of the same in SQL, for dates that are stored as text.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

LONGEST: Final = 64  # characters
_FORM: Final = re.compile(
    r"(\d{4})(?P<dash>-?)(\d{2})(?P=dash)(\d{2})"
    r"(?:[Tt ]([01]\d|2[0-3])(?P<colon>:?)([0-5]\d)(?:(?P=colon)([0-5]\d)(?:[.,](\d+))?)?"
    r"(?P<offset>[Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?)?",
    re.ASCII,
)
EXAMPLE: Final = "2026-11-23T12:00:00Z"


class CannotReadMoment(ValueError):
    """It is no moment; the text says why and what to send. Codes: unreadable, no_offset."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def moment_read(value: Any) -> datetime:
    """Return the moment that ISO 8601 text names, without a zone where it has no offset; raises CannotReadMoment."""
    match = _FORM.fullmatch(value) if isinstance(value, str) and len(value) <= LONGEST else None
    if match is None:
        raise CannotReadMoment("unreadable", f"This is no ISO 8601 time such as {EXAMPLE}.")
    year, _, month, day, hour, _, minute, second, fraction, offset = match.groups()
    clock = f"{hour or '00'}:{minute or '00'}:{second or '00'}.{(fraction or '')[:6].ljust(6, '0')}"
    try:
        return datetime.fromisoformat(f"{year}-{month}-{day}T{clock}").replace(tzinfo=_zone(offset))
    except ValueError:
        raise CannotReadMoment("unreadable", f"The calendar has no such time; send one such as {EXAMPLE}.") from None


def instant_read(value: Any) -> datetime:
    """Return the instant in UTC; raises CannotReadMoment, also for a time that has no offset."""
    at = moment_read(value)
    if at.tzinfo is None:
        raise CannotReadMoment(
            "no_offset", f"The time has no offset from UTC, so nobody can tell when it is: send it as {EXAMPLE}."
        )
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise CannotReadMoment("unreadable", f"The calendar has no such time; send one such as {EXAMPLE}.") from None


def is_date(value: Any) -> bool:
    """Return whether a property's value is a date: a day or a moment in the extended form, which sorts as text."""
    if not isinstance(value, str) or value[4:5] != "-":
        return False
    try:
        moment_read(value)
    except CannotReadMoment:
        return False
    return True


def _zone(offset: str | None) -> timezone | None:
    if offset is None:
        return None
    if offset in "Zz":
        return UTC
    minutes = int(offset[1:3]) * 60 + int(offset[3:].lstrip(":") or 0)
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
