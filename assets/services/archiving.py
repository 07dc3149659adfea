"""Putting resources away: nothing that was sent or shown loses its content, and new campaigns do not offer them."""

from datetime import datetime

from assets.models import PopupResource, PushResource


def resource_archive(*, resource: PushResource | PopupResource, now: datetime) -> None:
    """Take a push or popup out of what campaigns may choose; published versions go on with their own copy."""
    resource.archived_at = now
    resource.save(update_fields=["archived_at", "updated_at"])


def resource_restore(*, resource: PushResource | PopupResource) -> None:
    """Offer an archived push or popup again."""
    resource.archived_at = None
    resource.save(update_fields=["archived_at", "updated_at"])
