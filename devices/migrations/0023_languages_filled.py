from typing import Any

from django.db import migrations

from devices.people.services.languages import languages_refill


def _fill(apps: Any, schema_editor: Any) -> None:
    languages_refill()


class Migration(migrations.Migration):
    """Fill the canonical tags in batches, each in a transaction of its own; what is written meanwhile follows hourly."""

    atomic = False

    dependencies = [
        ("devices", "0022_languages"),
    ]

    operations = [
        migrations.RunPython(_fill, migrations.RunPython.noop),
    ]
