"""The keys that a chunk is signed with, and what becomes of it while one cannot be decrypted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from devices.brands.models import Incident, VapidKey
from devices.brands.services.incidents import incident_note
from devices.delivery.sending.claim import Claim
from devices.delivery.transports.vapid import VapidKeyPair
from smartpush.common.crypto import CannotDecrypt, decrypt

DETAIL = "No key in SMARTPUSH_ENCRYPTION_KEYS reads it."


@dataclass(frozen=True, slots=True)
class VapidKeys:
    """A brand's key pairs by their ids, retired ones too, and the ids of those that cannot be decrypted."""

    readable: Mapping[int, VapidKeyPair]
    unreadable: frozenset[int]


def vapid_keys_read(*, claim: Claim, now: datetime) -> VapidKeys:
    """Read the key pairs of the chunk's brand; one that it needs and nobody can read is an incident."""
    readable, unreadable = {}, set()
    for key in VapidKey.objects.filter(brand_id=claim.brand_id):
        try:
            private = decrypt(key.private_key_encrypted)
        except CannotDecrypt:
            unreadable.add(key.pk)
            if claim.sender in ("", f"vapid:{key.pk}"):
                incident_note(
                    kind=Incident.Kind.KEY_UNREADABLE,
                    brand_id=claim.brand_id,
                    subject=vapid_subject(key),
                    now=now,
                    detail=DETAIL,
                )
            continue
        readable[key.pk] = VapidKeyPair(key.public_key, private, settings.SMARTPUSH_VAPID_SUBJECT)
    return VapidKeys(readable, frozenset(unreadable))


def vapid_subject(key: VapidKey) -> str:
    """What an incident about this key pair is about."""
    return f"VAPID key {key.public_key[:12]}"
