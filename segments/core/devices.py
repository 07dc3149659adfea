"""Devices, and the push status of each (end user, device) pair.

A device is an end user's while its pushes are theirs or it is in their session. Whether a push reaches somebody is
asked of the holder alone: a visitor in session on a device whose pushes are another's is not reached by them.
"""

from collections.abc import Callable, Sequence
from typing import Any

from devices.delivery.selectors.reach import pair_allows_sql, pair_device_sql
from devices.models import App, Device, Status
from segments.arguments import Param, ParamKind
from segments.conditions import Node, Opposite, Related, Rows
from segments.fields import Asked, Field, Reads, any_row, register
from segments.operators import Kind
from segments.sql import Sql, fill

_DEVICES = frozenset({Reads.DEVICES})
_GROUP = "Devices"
_ALWAYS_KNOWN = ("is", "is_not", "is_any_of", "is_none_of")
_ANY = "Of any device that is theirs: it gets their pushes, or it is in their session."
# An outer join with its misses left out: of an inner one on two columns the planner expects a single row, and then
# looks half a million end users up one by one.
_LIVE = pair_device_sql(pair="p", device="d")
_REACHABLE = f"p.brand_id = {{}} AND {pair_allows_sql(pair='p')} AND coalesce(d.id, 0) <> 0"
_SYSTEMS = (
    ("android", "Android"),
    ("ios", "iOS and iPadOS"),
    ("windows", "Windows"),
    ("macos", "macOS"),
    ("linux", "Linux and ChromeOS"),
    ("other", "Other"),
)


def _pairs_of(choices: Sequence[tuple[Any, Any]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(value), str(label)) for value, label in choices)


def reachable(brand_id: int) -> Rows:
    """Holders of a device with a live token whose pair is allowed: a push reaches them now."""
    source = Sql(f"devices_pushstatus p LEFT JOIN devices_device d ON {_LIVE}")
    return Rows(source, "p.end_user_id", fill(_REACHABLE, brand_id))


def _push_enabled(asked: Asked) -> Node:
    found = Related((reachable(asked.context.brand_id),))
    return found if asked.value else Opposite(found)


def _pairs(asked: Asked) -> Sequence[Rows]:
    return (Rows(Sql("devices_pushstatus p"), "p.end_user_id", fill("p.brand_id = {}", asked.context.brand_id)),)


def _devices(asked: Asked) -> Sequence[Rows]:
    where = fill("d.brand_id = {}", asked.context.brand_id)
    for name, column in (("browser", "d.browser"), ("os", 'lower(d.os COLLATE "C")'), ("app", "d.app_id")):
        if name in asked.given:
            where = where & fill("{} = {}", Sql(column), asked.given[name])
    source = Sql("devices_device d")
    return Rows(source, "d.holder_id", where), Rows(source, "d.session_end_user_id", where)


def _apps(brand_id: int) -> Sequence[tuple[int, str]]:
    return [(app.pk, str(app)) for app in App.objects.filter(brand_id=brand_id).order_by("name", "pk")]


def _app_choices(brand_id: int) -> Sequence[tuple[str, str]]:
    return [(str(key), name) for key, name in _apps(brand_id)]


def _check_app(brand_id: int, value: Any, given: object) -> str | None:
    known = {key for key, _ in _app_choices(brand_id)}
    wanted = {value} if isinstance(value, str) else set(value or ())
    return None if wanted <= known else "The brand does not have this app (any more): choose another."


_BROWSERS = _pairs_of(Device.Browser.choices)
_OF_BROWSER = Param("browser", "Of which browser", ParamKind.CHOICE, choices=_BROWSERS)
_OF_SYSTEM = Param("os", "Of which system", ParamKind.CHOICE, choices=_SYSTEMS)
_OF_APP = Param("app", "Of which app", ParamKind.REFERENCE, brand_choices=_apps)


def _field(name: str, label: str, kind: Kind, expression: str, **more: Any) -> None:
    rows: Callable[[Asked], Sequence[Rows]] = more.pop("rows", _devices)
    register(
        Field(
            name,
            label,
            kind,
            any_row(rows, expression),
            _DEVICES,
            group=_GROUP,
            **{"help": _ANY, **more},
        )
    )


register(
    Field(
        "push_enabled",
        "Core: push enabled, user has at least one device",
        Kind.BOOLEAN,
        _push_enabled,
        _DEVICES,
        words="reachable subscribed subscriber token notifications",
        help="A push would reach the end user now: a device that allows it, with a live token. Only whose pushes the"
        " device gets counts, not who is in session on it.",
        only=("is",),
    )
)
_field(
    "push_status_any_device",
    "Push status of any device",
    Kind.CHOICE,
    "p.status",
    rows=_pairs,
    words="permission subscribed denied refused",
    choices=_pairs_of(Status.choices),
    only=_ALWAYS_KNOWN,
    help="What the end user has on any device that they have used, also where somebody else logged in since. Is not:"
    " on no device.",
)
_field(
    "platform",
    "Platform of any device",
    Kind.CHOICE,
    "d.platform",
    choices=_pairs_of(Device.Platform.choices),
    words="phone mobile native apps channel",
    only=_ALWAYS_KNOWN,
)
_field("browser", "Browser of any device", Kind.CHOICE, "nullif(d.browser, '')", choices=_BROWSERS, words="user agent")
_field("browser_version", "Browser version", Kind.VERSION, "d.browser_version", params=(_OF_BROWSER,))
_field(
    "os",
    "Operating system of any device",
    Kind.CHOICE,
    "nullif(lower(d.os COLLATE \"C\"), '')",
    choices=_SYSTEMS,
    words="OS phone computer",
)
_field("os_version", "Operating system version", Kind.VERSION, "d.os_version", params=(_OF_SYSTEM,), words="OS")
_field(
    "form_factor",
    "Form factor of any device",
    Kind.CHOICE,
    "nullif(d.form_factor, '')",
    choices=_pairs_of(Device.FormFactor.choices),
    words="phone tablet computer",
)
_field(
    "app",
    "Website or app of any device",
    Kind.CHOICE,
    "d.app_id::text",
    only=_ALWAYS_KNOWN,
    value_choices=_app_choices,
    words="origin domain",
    check=_check_app,
)
_field(
    "app_version",
    "App version",
    Kind.VERSION,
    "d.app_version",
    params=(_OF_APP,),
    help="2.10 is above 2.9, and 2.10 is 2.10.0. " + _ANY,
)
_field(
    "device_language",
    "Language of any device",
    Kind.LANGUAGE,
    "d.language_canonical",
    help="en is also en-GB, and no is also nb and nn. " + _ANY,
)
