"""The records of the delivery side."""

from devices.models.api_keys import ApiKey
from devices.models.brands import App, Brand, BrandMembership, VapidKey
from devices.models.caps import CapCounter, FrequencyCap
from devices.models.changes import ChangedEndUser
from devices.models.consents import ConsentRecord, PushCategory
from devices.models.devices import Device, PushStatus, PushStatusChange, TokenHolding
from devices.models.end_users import BUCKETS, EndUser, Status, TargetDevices
from devices.models.events import Event, IdempotencyKey, PropertyDefinition
from devices.models.identity import IdentityKey, IdentityObservation
from devices.models.incidents import Incident
from devices.models.ledgers import Delivery, DeliveryChunk, Dispatch, Lane, PopupOffer, SendHold
from devices.models.push_services import OriginHealth, SendBudget
from devices.models.refused_origins import RefusedOrigin

__all__ = [
    "BUCKETS",
    "ApiKey",
    "App",
    "Brand",
    "BrandMembership",
    "CapCounter",
    "ChangedEndUser",
    "ConsentRecord",
    "Delivery",
    "DeliveryChunk",
    "Device",
    "Dispatch",
    "EndUser",
    "Event",
    "FrequencyCap",
    "IdempotencyKey",
    "IdentityKey",
    "IdentityObservation",
    "Incident",
    "Lane",
    "OriginHealth",
    "PopupOffer",
    "PropertyDefinition",
    "PushCategory",
    "PushStatus",
    "PushStatusChange",
    "RefusedOrigin",
    "SendBudget",
    "SendHold",
    "Status",
    "TargetDevices",
    "TokenHolding",
    "VapidKey",
]
