"""System checks that look into the database: `manage.py check --database default`, and every `migrate`."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, transaction

from devices.models import Brand


@register(Tags.database)
def check_local_pages(
    app_configs: object = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """smartpush.W001: a brand of a production server has the switch for developers' own machines on."""
    if not databases or settings.DEVELOPMENT:
        return []
    try:
        with transaction.atomic():
            names = list(Brand.objects.filter(local_pages=True).values_list("name", flat=True))
    except DatabaseError:  # before the migration that adds it
        return []
    return [
        Warning(
            f"{name}: pages on developers' own machines are allowed. A production server refuses them all the same.",
            hint="Switch it off in the brand, under Development.",
            id="smartpush.W001",
        )
        for name in names
    ]
