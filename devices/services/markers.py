"""Markers: sets of upper-cased tags on the end user, one set for each kind of writer."""

import re
from collections.abc import Sequence
from typing import Literal

from django.db import transaction

from devices.models import EndUser

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


@transaction.atomic
def markers_change(
    *, end_user_id: int, operation: str, markers: Sequence[str], kind: MarkerKind = "js_markers"
) -> list[str]:
    """Add, remove, replace or clear markers of one kind and return the set; raises CannotChangeMarkers."""
    cleaned = {marker_clean(marker) for marker in markers}
    end_user = EndUser.objects.select_for_update(no_key=True).only("id", kind).get(pk=end_user_id)
    current = set(getattr(end_user, kind))
    result = {
        "add": current | cleaned,
        "remove": current - cleaned,
        "replace": cleaned,
        "clear": set(),
    }[operation]
    if len(result) > MAX_MARKERS:
        raise CannotChangeMarkers(f"An end user may carry {MAX_MARKERS} markers; this would make {len(result)}.")
    if result != current:
        setattr(end_user, kind, sorted(result))
        end_user.save(update_fields=[kind])
    return sorted(result)
