"""Why a push reaches no device of an end user, in a sentence that staff can act on."""

from collections import Counter
from dataclasses import dataclass

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
    rows = PushStatus.objects.filter(end_user=end_user).values_list(
        "device__platform", "status", "device__holder_id", "device__token_hash", "device__app__archived_at"
    )
    return [
        _Pair(
            platform,
            status,
            status == Status.ALLOWED and holder == end_user.pk and token is not None and archived is None,
            archived is not None,
        )
        for platform, status, holder, token, archived in rows
    ]
