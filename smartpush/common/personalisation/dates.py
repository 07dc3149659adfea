"""The filter `date`: what it costs, and on whose clock it shows a moment.

`now`, `today`, a timestamp and a date with an offset are moments: they show on the clock of the meter's zone. A date
without an offset is what a clock shows already, and stays.
"""

import re
from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Any, Final

from liquid.exceptions import FilterArgumentError

from smartpush.common.personalisation.limits import CALL, MAX_OUTPUT, Meter, TemplateLimit, text_fits, too_long
from smartpush.common.time.clock import utc_now
from smartpush.common.time.wall_clock import zone_of

_DIRECTIVE = re.compile(r"%[-_0^#:]*(\d*)")
_ONE_DIRECTIVE = re.compile(r"%(.)", re.DOTALL)
_LONGEST_DATE: Final = 100  # characters of a text that may be read as a date
_DATE_WORK: Final = 40_000
_DIRECTIVE_SIZE: Final = 64  # characters; %c and %Z in any locale are shorter
_FORM_IS_TEXT: Final = "The format of date is text in quotation marks: write {{ user.born | date: '%d %B %Y' }}."
_ISO: Final = "%Y-%m-%dT%H:%M:%S.%f%z"


def date_guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """Guard `date`: a long text is no date, and a format says how long its result is."""

    def guard(meter: Meter, value: Any, form: Any) -> Any:
        if isinstance(form, str):
            widths = _DIRECTIVE.findall(form)
            size = len(form) + sum(max(_DIRECTIVE_SIZE, int(width[:9] or 0)) for width in widths)
            if size > MAX_OUTPUT:
                raise TemplateLimit(too_long("date"))
        if isinstance(value, str) and len(value) > _LONGEST_DATE:
            text_fits(value, what="date")
            meter.charge(CALL + len(value))
            return value
        meter.charge(_DATE_WORK)
        if not isinstance(value, str | int):
            text_fits(value, what="date")
        if not isinstance(form, str):
            return _formless(function, value, form)
        shown = _shown(function, value, zone_of(meter.zone))
        return function(value, form) if shown is None else _written(shown, form)

    return guard


def _formless(function: Callable[..., Any], value: Any, form: Any) -> Any:
    """Apply the filter with a format that is no text: with none it may show the value as it is."""
    try:
        return function(value, form)
    except (FilterArgumentError, TypeError) as problem:
        raise FilterArgumentError(_FORM_IS_TEXT, token=None) from problem


def _written(shown: datetime, form: str) -> str:
    """Write a moment by a format. The library keeps what it reads by its moment, in the zone that it first came in."""
    # strftime's own %s takes every time for one of the process's zone.
    seconds = str(int(shown.timestamp()))
    form = _ONE_DIRECTIVE.sub(lambda found: seconds if found[1] == "s" else found[0], form)
    try:
        return shown.strftime(form)
    except ValueError as problem:
        raise FilterArgumentError(str(problem), token=None) from problem


def _shown(read: Callable[..., Any], value: Any, zone: tzinfo) -> datetime | None:
    """Return what a clock in the zone shows at a moment; None where the value is none."""
    if value in ("now", "today"):
        return utc_now().astimezone(zone)
    try:
        if isinstance(value, int) or (isinstance(value, str) and value.isdigit()):
            return datetime.fromtimestamp(int(value), zone)
        found = read(value, _ISO) if isinstance(value, str) else ""
        moment = datetime.fromisoformat(found)
        return moment.astimezone(zone) if moment.tzinfo is not None else None
    except (OSError, OverflowError, ValueError):
        return None
