"""Writing assets."""

from assets.services.images import CannotSaveImage, image_save
from assets.services.popups import (
    Colours,
    PopupDraft,
    PopupVariantDraft,
    popup_content,
    popup_draft,
    popup_language_warnings,
    popup_problem,
    popup_resource_check,
    popup_resource_save,
    popup_warnings,
)
from assets.services.push import (
    ButtonDraft,
    PushDraft,
    PushVariantDraft,
    Utm,
    payload_size,
    push_content,
    push_draft,
    push_name_warnings,
    push_resource_check,
    push_resource_save,
    push_warnings,
)
from assets.services.refusals import CannotSaveResource
from assets.services.sending import CannotSendTest, push_profile_send, push_test_send

__all__ = [
    "ButtonDraft",
    "CannotSaveImage",
    "CannotSaveResource",
    "CannotSendTest",
    "Colours",
    "PopupDraft",
    "PopupVariantDraft",
    "PushDraft",
    "PushVariantDraft",
    "Utm",
    "image_save",
    "payload_size",
    "popup_content",
    "popup_draft",
    "popup_language_warnings",
    "popup_problem",
    "popup_resource_check",
    "popup_resource_save",
    "popup_warnings",
    "push_content",
    "push_draft",
    "push_name_warnings",
    "push_profile_send",
    "push_resource_check",
    "push_resource_save",
    "push_test_send",
    "push_warnings",
]
