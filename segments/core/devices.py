"""Devices, and the push status of each (end user, device) pair.

A device is an end user's while its pushes are theirs or it is in their session.
"""

from collections.abc import Sequence

from devices.models import Device
from segments.conditions import Node, Opposite, Related, Rows
from segments.fields import Asked, Field, Reads, any_row, register
from segments.operators import Kind
from segments.sql import Sql, fill

_DEVICES = frozenset({Reads.DEVICES})
_REACHABLE = "p.brand_id = {} AND p.status = 'allowed' AND d.token_hash IS NOT NULL AND d.holder_id = p.end_user_id"


def reachable(brand_id: int) -> Rows:
    """Holders of a device with a live token whose pair is allowed: a push reaches them now."""
    source = Sql("devices_pushstatus p JOIN devices_device d ON d.id = p.device_id")
    return Rows(source, "p.end_user_id", fill(_REACHABLE, brand_id))


def _push_enabled(asked: Asked) -> Node:
    found = Related((reachable(asked.context.brand_id),))
    return found if asked.value else Opposite(found)


def _devices(asked: Asked) -> Sequence[Rows]:
    where = fill("d.brand_id = {}", asked.context.brand_id)
    source = Sql("devices_device d")
    return Rows(source, "d.holder_id", where), Rows(source, "d.session_end_user_id", where)


register(
    Field(
        "push_enabled",
        "Push enabled, user has at least one device",
        Kind.BOOLEAN,
        _push_enabled,
        _DEVICES,
        help="A push would reach the end user now: a device that allows it, with a live token.",
    )
)
register(
    Field(
        "platform",
        "Platform of any device",
        Kind.CHOICE,
        any_row(_devices, "d.platform"),
        _DEVICES,
        tuple((str(value), str(label)) for value, label in Device.Platform.choices),
        group="Devices",
    )
)
