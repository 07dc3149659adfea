"""What each kind of incident means, what to do about it, and which ones are open."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Q

from devices.brands.models import Incident


@dataclass(frozen=True, slots=True)
class IncidentText:
    """The sentences of one kind; it closes by itself when it was not noted for `quiet`."""

    means: str
    do: str
    quiet: timedelta


_MINUTES_15: Final = timedelta(minutes=15)

TEXTS: Final[Mapping[str, IncidentText]] = {
    Incident.Kind.KEY_REFUSED: IncidentText(
        "The push service does not accept the key that messages are signed with. They are held until they expire; "
        "no subscription is deleted.",
        "For a website, check that the VAPID key pair is the one its visitors subscribed with, and that "
        "SMARTPUSH_VAPID_SUBJECT is a real address. For an app, upload a new Firebase key file.",
        timedelta(hours=2),
    ),
    Incident.Kind.SERVICE_LIMITS: IncidentText(
        "The push service accepts only so many messages at a time. The others wait, urgent ones go first, and each "
        "is sent as soon as there is room or ends when it expires.",
        "Send less often to people who have not visited for long. Chrome limits sites for days when their pushes "
        "are ignored.",
        _MINUTES_15,
    ),
    Incident.Kind.SERVICE_SILENT: IncidentText(
        "The push service does not answer in time. Messages to it are tried again until they expire; messages to "
        "other push services are not delayed.",
        "If it lasts, check the network and the status page of the push service.",
        _MINUTES_15,
    ),
    Incident.Kind.SERVICE_FAILS: IncidentText(
        "The push service answers with server errors. Messages to it are tried again with growing pauses.",
        "If it lasts, check the status page of the push service.",
        _MINUTES_15,
    ),
    Incident.Kind.KEY_UNREADABLE: IncidentText(
        "A key is encrypted under a key that this installation no longer has. What needs it is held until it expires.",
        "Put the missing key back into SMARTPUSH_ENCRYPTION_KEYS, or replace the key that cannot be read.",
        timedelta(hours=1),
    ),
    Incident.Kind.TEMPLATE_LIMIT: IncidentText(
        "Filling in a text took more work than is allowed, so the message was not sent.",
        "Simplify the text: fewer loops, fewer filters, shorter results.",
        timedelta(days=1),
    ),
    Incident.Kind.REDIS_AWAY: IncidentText(
        "Redis does not answer. Calls are answered without limits, and jobs start later than usual.",
        "Start Redis again, or check REDIS_URL.",
        timedelta(minutes=2),
    ),
}


def incidents_open(*, brand_id: int, limit: int = 20) -> list[Incident]:
    """The open incidents that concern a brand, its own and the installation's, the newest first."""
    rows = Incident.objects.filter(Q(brand_id=brand_id) | Q(brand__isnull=True), until__isnull=True)
    return list(rows.order_by("-since", "-pk")[:limit])
