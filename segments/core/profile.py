"""What stands on the end user's own row."""

from devices.models import Status
from segments.conditions import Node, Predicate
from segments.fields import Asked, Field, Reads, column, register
from segments.operators import Kind
from segments.sql import Sql

_PROFILE = frozenset({Reads.PROFILE})


def _is_anonymous(asked: Asked) -> Node:
    return Predicate(Sql("u.external_id IS NULL" if asked.value else "u.external_id IS NOT NULL"))


register(
    Field(
        "push_status_last_session",
        "Push status of the last session",
        Kind.CHOICE,
        column("u.last_session_status"),
        _PROFILE,
        tuple((str(value), str(label)) for value, label in Status.choices),
        help="What the most recent session reported; Ask when there was none.",
    )
)
register(
    Field(
        "language",
        "Language",
        Kind.LANGUAGE,
        column("u.language"),
        _PROFILE,
        group="Profile",
        help="en is also en-GB.",
    )
)
register(Field("country", "Country", Kind.TEXT, column("nullif(u.country, '')"), _PROFILE, group="Profile"))
register(Field("time_zone", "Time zone", Kind.TEXT, column("nullif(u.time_zone, '')"), _PROFILE, group="Profile"))
register(Field("last_seen", "Last seen", Kind.DATE, column("u.last_session_at"), _PROFILE, group="Profile"))
register(Field("first_seen", "First seen", Kind.DATE, column("u.created_at"), _PROFILE, group="Profile"))
register(
    Field(
        "is_anonymous",
        "Anonymous visitor",
        Kind.BOOLEAN,
        _is_anonymous,
        _PROFILE,
        group="Profile",
        help="Has not logged in yet.",
    )
)
