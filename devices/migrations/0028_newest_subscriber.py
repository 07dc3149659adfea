from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Add the index of a website's newest subscriber, outside a transaction: nobody waits for it."""

    atomic = False

    dependencies = [
        ("devices", "0027_constraint_words"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="device",
            index=models.Index(
                fields=["app", "-token_at", "-id"],
                condition=Q(token_hash__isnull=False, token_at__isnull=False),
                name="devices_device_subscribed",
            ),
        ),
    ]
