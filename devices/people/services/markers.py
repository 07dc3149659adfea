"""Markers: sets of upper-cased tags on the end user, one set for each kind of writer."""

import re
from collections.abc import Sequence
from typing import Literal

from django.db import transaction

from devices.people.models import EndUser
from smartpush.common.calls.left_out import LeftOut, LeftOutCode

MAX_MARKERS = 200
_MARKER = re.compile(r"[A-Z0-9][A-Z0-9_.:\-]{0,63}")

MarkerKind = Literal["js_markers", "external_markers", "backoffice_markers"]


class CannotChangeMarkers(Exception):
    """A marker is not valid, or there would be too many."""


def marker_clean(marker: str) -> str:
    """The stored form of a marker (upper case); raises CannotChangeMarkers."""
    cleaned = marker.strip().upper().replace(" ", "_")
    if not _MARKER.fullmatch(cleaned):
        raise CannotChangeMarkers(f"{marker!r} is not a marker: letters, digits and _ . : - only, 64 at most.")
    return cleaned


def _changed(operation: str, current: set[str], wanted: set[str]) -> set[str]:
    return {"add": current | wanted, "remove": current - wanted, "replace": wanted, "clear": set()}[operation]


@transaction.atomic
def markers_change(
    *, end_user_id: int, operation: str, markers: Sequence[str], kind: MarkerKind = "js_markers"
) -> list[str]:
    """Add, remove, replace or clear markers of one kind and return the set; raises CannotChangeMarkers."""
    cleaned = {marker_clean(marker) for marker in markers}
    current = _locked(end_user_id, kind)
    return _write(end_user_id, kind, current, _changed(operation, current, cleaned))


@transaction.atomic
def markers_keep(*, end_user_id: int, operation: str, markers: Sequence[str]) -> tuple[list[str], list[LeftOut]]:
    """Change JS markers as `markers_change` does, but of too many keep the first; return the set and what was left out.

    Raises CannotChangeMarkers where not one of them can be taken.
    """
    current = _locked(end_user_id, "js_markers")
    cleaned = [marker_clean(marker) for marker in markers]
    left_out: list[LeftOut] = []
    if operation == "add":
        room = MAX_MARKERS - len(current)
        fresh = [marker for marker in dict.fromkeys(cleaned) if marker not in current]
        over = fresh[max(room, 0) :]
        if over and len(over) == len(cleaned):
            raise CannotChangeMarkers(_too_many(len(current) + len(fresh)))
        cleaned = [marker for marker in cleaned if marker not in over]
        if over:
            text = f"{_too_many(len(current) + len(fresh))} Not added: {', '.join(over[:5])}."
            left_out.append(LeftOut("markers", LeftOutCode.TOO_MANY, text))
    return _write(end_user_id, "js_markers", current, _changed(operation, current, set(cleaned))), left_out


def _locked(end_user_id: int, kind: MarkerKind) -> set[str]:
    return set(EndUser.objects.select_for_update(no_key=True).values_list(kind, flat=True).get(pk=end_user_id))


def _write(end_user_id: int, kind: MarkerKind, current: set[str], wanted: set[str]) -> list[str]:
    if len(wanted) > MAX_MARKERS and len(wanted) > len(current):
        raise CannotChangeMarkers(_too_many(len(wanted)))
    if wanted != current:
        EndUser.objects.filter(pk=end_user_id).update(**{kind: sorted(wanted)})
    return sorted(wanted)


def _too_many(number: int) -> str:
    return f"An end user may carry {MAX_MARKERS} markers; this would make {number}."
