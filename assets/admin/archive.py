"""Archiving pushes and popups from their pages."""

from typing import Any

from assets.services.archiving import resource_archive, resource_restore
from devices.admin.archiving import ArchivingAdmin
from smartpush.common.time.clock import utc_now


class ResourceArchivingAdmin(ArchivingAdmin):
    """Campaigns cannot choose an archived resource; those that run go on with it."""

    def archive_row(self, row: Any) -> str:
        resource_archive(resource=row, now=utc_now())
        return "Archived."

    def restore_row(self, row: Any) -> str:
        resource_restore(resource=row)
        return "Restored."

    def archive_words(self, row: Any) -> str:
        if row.archived_at is not None:
            return "Campaigns may choose it again."
        return (
            "It leaves the list and campaigns cannot choose it any more. Campaigns that run go on with it;"
            " a draft that uses it asks for another. You can restore it later."
        )
