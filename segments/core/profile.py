"""What stands on the end user's own row."""

from babel import Locale

from devices.models import Status, TargetDevices
from segments.conditions import Node, Predicate
from segments.fields import Asked, Build, Field, Reads, column, register
from segments.operators import Kind
from segments.sql import Sql

_PROFILE = frozenset({Reads.PROFILE})
_ALWAYS_KNOWN = ("is", "is_not", "is_any_of", "is_none_of")
# Names of what is no country, among those of CLDR: unions, test regions, the unknown one.
_NO_COUNTRY = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}
_COUNTRIES = tuple(
    sorted(
        (
            (code, name)
            for code, name in Locale("en").territories.items()
            if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY
        ),
        key=lambda pair: pair[1],
    )
)


def _is_anonymous(asked: Asked) -> Node:
    return Predicate(Sql("u.external_id IS NULL" if asked.value else "u.external_id IS NOT NULL"))


def _flag(name: str) -> Build:
    """A boolean column without a comparison."""
    return lambda asked: Predicate(Sql(name if asked.value else f"NOT {name}"))


register(
    Field(
        "push_status_last_session",
        "Push status of the last session",
        Kind.CHOICE,
        column("u.last_session_status"),
        _PROFILE,
        tuple((str(value), str(label)) for value, label in Status.choices),
        help="What the most recent session reported; Ask when there was none.",
        only=_ALWAYS_KNOWN,
    )
)
register(
    Field(
        "language",
        "Language",
        Kind.LANGUAGE,
        column("u.language_canonical"),
        _PROFILE,
        group="Profile",
        help="en is also en-GB, and no is also nb and nn.",
    )
)
register(
    Field(
        "country",
        "Country",
        Kind.CHOICE,
        column("nullif(u.country, '')"),
        _PROFILE,
        _COUNTRIES,
        group="Profile",
        help="As the brand's own server says it.",
    )
)
register(Field("time_zone", "Time zone", Kind.TEXT, column("nullif(u.time_zone, '')"), _PROFILE, group="Profile"))
register(
    Field(
        "last_seen",
        "Last seen",
        Kind.DATE,
        column("u.last_session_at"),
        _PROFILE,
        group="Profile",
        help="When the last session began. Not known of those who have had none.",
    )
)
register(
    Field(
        "first_seen",
        "First seen",
        Kind.DATE,
        column("u.created_at"),
        _PROFILE,
        group="Profile",
        help="When the end user became known here: by a visit, or by the brand's own server.",
    )
)
register(
    Field(
        "is_anonymous",
        "Anonymous visitor",
        Kind.BOOLEAN,
        _is_anonymous,
        _PROFILE,
        group="Profile",
        help="Has not logged in yet.",
        only=("is",),
    )
)
register(
    Field(
        "external_id",
        "External id",
        Kind.TEXT,
        column("u.external_id"),
        _PROFILE,
        group="Profile",
        help="The brand's own name for the end user. Anonymous visitors have none.",
    )
)
register(
    Field(
        "target_devices",
        "Target devices",
        Kind.CHOICE,
        column("u.target_devices"),
        _PROFILE,
        tuple((str(value), str(label)) for value, label in TargetDevices.choices),
        group="Profile",
        help="The devices that pushes to this end user go to.",
        only=_ALWAYS_KNOWN,
    )
)
register(
    Field(
        "platform_opt_out",
        "Opted out at the platform",
        Kind.BOOLEAN,
        _flag("u.platform_opt_out"),
        _PROFILE,
        group="Profile",
        help="Set by the brand's own server.",
        only=("is",),
    )
)
register(
    Field(
        "user_opt_out",
        "Opted out themselves",
        Kind.BOOLEAN,
        _flag("u.user_opt_out"),
        _PROFILE,
        group="Profile",
        help="By the site, by the preference page, or by staff.",
        only=("is",),
    )
)
register(
    Field(
        "never_contact",
        "Never contact",
        Kind.BOOLEAN,
        _flag("u.never_contact"),
        _PROFILE,
        group="Profile",
        help="Nothing reaches them, whatever its purpose, and they enter no campaign. Set by the brand's own server, by"
        " an import or by staff.",
        only=("is",),
    )
)
