"""The content that campaigns send."""

from assets.models.images import Image
from assets.models.resources import (
    PopupResource,
    PopupRevision,
    PopupVariant,
    PushResource,
    PushRevision,
    PushVariant,
)

__all__ = [
    "Image",
    "PopupResource",
    "PopupRevision",
    "PopupVariant",
    "PushResource",
    "PushRevision",
    "PushVariant",
]
