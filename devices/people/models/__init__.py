"""End users, their consents, events and properties."""

from devices.people.models.changes import ChangedEndUser
from devices.people.models.consents import ConsentRecord, PushCategory
from devices.people.models.end_users import BUCKETS, EndUser, Status, TargetDevices
from devices.people.models.events import Event, IdempotencyKey, PropertyDefinition

__all__ = [
    "BUCKETS",
    "ChangedEndUser",
    "ConsentRecord",
    "EndUser",
    "Event",
    "IdempotencyKey",
    "PropertyDefinition",
    "PushCategory",
    "Status",
    "TargetDevices",
]
