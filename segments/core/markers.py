"""The three kinds of markers."""

from segments.fields import Field, Reads, column, register
from segments.operators import Kind

_WORDS = "tag label flag interest"
for _name, _label, _words in (
    ("js_markers", "JS markers", f"{_WORDS} category categories subscribed topic"),
    ("external_markers", "External markers", f"{_WORDS} server"),
    ("backoffice_markers", "Back-office markers", f"{_WORDS} staff"),
):
    register(
        Field(
            _name,
            _label,
            Kind.MARKERS,
            column(f"u.{_name}"),
            frozenset({Reads.PROFILE}),
            group="Markers",
            words=_words,
            found_by="value",
        )
    )
