"""Markers in use, to suggest while rules are written."""

from collections.abc import Mapping

from devices.models import EndUser

_SAMPLE = 2_000  # end users seen last; reading a whole brand for suggestions is not worth it
_MOST = 200
COLUMNS = ("js_markers", "external_markers", "backoffice_markers")


def marker_suggestions(*, brand_id: int) -> Mapping[str, list[str]]:
    """Field name to the markers that recent end users carry."""
    rows = EndUser.objects.filter(brand_id=brand_id).order_by("-pk").values_list(*COLUMNS)[:_SAMPLE]
    found: dict[str, set[str]] = {column: set() for column in COLUMNS}
    for row in rows:
        for column, markers in zip(COLUMNS, row, strict=True):
            found[column].update(markers)
    return {column: sorted(markers)[:_MOST] for column, markers in found.items()}
