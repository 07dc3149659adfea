"""The ledgers of delivery, caps, and how push services are doing."""

from devices.delivery.models.caps import CapCounter, FrequencyCap
from devices.delivery.models.ledgers import Delivery, DeliveryChunk, Dispatch, Lane, PopupOffer
from devices.delivery.models.push_services import OriginHealth, SendBudget

__all__ = [
    "CapCounter",
    "Delivery",
    "DeliveryChunk",
    "Dispatch",
    "FrequencyCap",
    "Lane",
    "OriginHealth",
    "PopupOffer",
    "SendBudget",
]
