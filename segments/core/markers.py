"""The three kinds of markers."""

from segments.fields import Field, Reads, column, register
from segments.operators import Kind

for _name, _label in (
    ("js_markers", "JS markers"),
    ("external_markers", "External markers"),
    ("backoffice_markers", "Back-office markers"),
):
    register(Field(_name, _label, Kind.MARKERS, column(f"u.{_name}"), frozenset({Reads.PROFILE}), group="Markers"))
