"""What stands on the end user's own row."""

from babel import Locale

from devices.models import Status, TargetDevices
from devices.people.selectors.standing import HALVES_OF_ASK, Standing
from segments.conditions import Node, Predicate
from segments.fields import Asked, Build, Field, Reads, column, register
from segments.operators import Kind
from segments.sql import Sql, fill, joined

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


def _standing(asked: Asked) -> Node:
    """Any of the statuses; Ask may also be asked for by its halves, which are no values of the column."""
    wanted = [asked.value] if isinstance(asked.value, str) else list(asked.value)
    halves = [Sql(HALVES_OF_ASK[value]) for value in wanted if value in HALVES_OF_ASK]
    whole = [value for value in wanted if value not in HALVES_OF_ASK]
    if not halves:
        return Predicate(asked.holds(Sql("u.last_session_status")))
    if whole:
        halves.append(fill("u.last_session_status = ANY({})", whole))
    return Predicate(joined(" OR ", halves))


def _statuses() -> tuple[tuple[str, str], ...]:
    """The statuses as the page of the product spells them; after Ask, its two halves."""
    pairs = [(str(value), str(label)) for value, label in Status.choices]
    halves = [(str(value), str(Standing(value).label)) for value in HALVES_OF_ASK]
    return (*pairs[:1], *halves, *pairs[1:])


register(
    Field(
        "push_status_last_session",
        "Push status of the last session",
        Kind.CHOICE,
        _standing,
        _PROFILE,
        _statuses(),
        words="permission subscribed asked allowed denied refused visited",
        help="What the most recent session reported; Ask when there was none. People who never visited cannot be asked"
        " before they come.",
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
        words="locale speaks",
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
        words="location region geo lives",
    )
)
register(
    Field(
        "time_zone",
        "Time zone",
        Kind.TEXT,
        column("nullif(u.time_zone, '')"),
        _PROFILE,
        group="Profile",
        words="timezone clock local hour",
    )
)
register(
    Field(
        "last_seen",
        "Last seen",
        Kind.DATE,
        column("u.last_session_at"),
        _PROFILE,
        group="Profile",
        help="When the last session began. Not known of those who have had none.",
        words="visit session active inactive dormant online returned recent",
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
        words="registered registration signed up signup joined created new",
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
        words="guest unknown identified registered login",
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
        words="user customer player number username e-mail email identifier",
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
        words="native apps web channel preference",
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
        words="unsubscribed optout consent gdpr",
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
        words="unsubscribed optout consent gdpr",
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
        words="do not disturb suppressed blocklist blacklist excluded self-excluded",
        help="Nothing reaches them, whatever its purpose, and they enter no campaign. Set by the brand's own server, by"
        " an import or by staff.",
        only=("is",),
    )
)
