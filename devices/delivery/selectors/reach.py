"""Whom a push reaches, in each form that is asked for; and why it reaches no device of an end user.

It reaches the holder of a device with a live token whose pair is allowed. Reports suspend the pair of anybody else in
session there; the database does not insist on it, so each form asks for the holder.
"""

from collections import Counter
from dataclasses import dataclass

from django.db.models import F, QuerySet

from devices.installations.models import Device, PushStatus
from devices.people.models import EndUser, Status, TargetDevices

_ONLY = {TargetDevices.WEB: "web devices only", TargetDevices.NATIVE: "native apps only"}
_STATUS_WORDS = {
    Status.ASK: "not asked yet",
    Status.BLOCKED: "blocked",
    Status.NOT_SUPPORTED: "without support for pushes",
    Status.SUSPENDED: "used by someone else now",
    Status.ALLOWED: "allowed, but its push address is dead",
}


def reached_pairs() -> QuerySet[PushStatus]:
    """The pairs of end users with devices on which a push reaches them now."""
    return PushStatus.objects.filter(
        status=Status.ALLOWED, device__token_hash__isnull=False, device__holder=F("end_user")
    )


def pair_is_reached(*, pair: PushStatus) -> bool:
    """Return whether a push reaches the pair's end user on its device; reads the pair and its device."""
    device = pair.device
    return pair.status == Status.ALLOWED and device.token_hash is not None and device.holder_id == pair.end_user_id


def pair_allows_sql(*, pair: str) -> str:
    """Return the half of the condition that is of the pair: with `pair_device_sql` it is whole."""
    return f"{pair}.status = 'allowed'"


def pair_device_sql(*, pair: str, device: str) -> str:
    """Return the half that joins the pair's device: its token lives, and the pair's end user holds it."""
    return f"{device}.id = {pair}.device_id AND {device}.holder_id = {pair}.end_user_id AND {_live_sql(device)}"


def device_reaches_sql(*, device: str, end_user: str) -> str:
    """Return the whole condition on a device, with a probe of its pair by index in place of a join."""
    return (
        f"{device}.holder_id = {end_user} AND {_live_sql(device)}"
        f" AND (SELECT h.status FROM devices_pushstatus h"
        f" WHERE h.end_user_id = {device}.holder_id AND h.device_id = {device}.id) = 'allowed'"
    )


def _live_sql(device: str) -> str:
    return f"{device}.token_hash IS NOT NULL"


@dataclass(frozen=True, slots=True)
class _Pair:
    platform: str
    status: str
    reachable: bool
    archived: bool = False


def why_nobody(*, end_user: EndUser, target_devices: str = TargetDevices.ALL) -> str:
    """A sentence that begins with what is in the way: target devices that exclude each other first, then the devices.

    For when a message for `target_devices` found no device.
    """
    if end_user.never_contact:
        return "they are marked “Never contact”, which nothing overrides."
    wanted, preferred = TargetDevices(target_devices), TargetDevices(end_user.target_devices)
    if TargetDevices.ALL not in (wanted, preferred) and wanted != preferred:
        return (
            f"the message is for {_ONLY[wanted]} and the profile asks for {_ONLY[preferred]}:"
            " together they exclude every device."
        )
    pairs = _pairs(end_user)
    reachable = {_kind(pair.platform) for pair in pairs if pair.reachable}
    if reachable:
        has = "native apps" if reachable == {TargetDevices.NATIVE} else "web devices"
        if wanted != TargetDevices.ALL:
            return f"the message is for {_ONLY[wanted]}, and they can be reached on {has}."
        return f"the profile asks for {_ONLY[preferred]}, and they can be reached on {has}."
    if not pairs:
        return "they have no device: none has reported a session yet."
    found = Counter(
        "of an archived website or app" if pair.archived else _STATUS_WORDS[Status(pair.status)] for pair in pairs
    )
    return f"no device of theirs can be reached now: {', '.join(f'{n} {words}' for words, n in sorted(found.items()))}."


def _kind(platform: str) -> TargetDevices:
    return TargetDevices.WEB if platform == Device.Platform.WEB else TargetDevices.NATIVE


def _pairs(end_user: EndUser) -> list[_Pair]:
    rows = PushStatus.objects.filter(end_user=end_user).select_related("device__app")
    kept = ("platform", "holder_id", "token_hash", "app__archived_at")
    return [
        _Pair(pair.device.platform, pair.status, pair_is_reached(pair=pair) and not archived, archived)
        for pair in rows.only("status", "end_user_id", *(f"device__{name}" for name in kept))
        for archived in [pair.device.app.archived_at is not None]
    ]
