from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """What reads whole tables, outside a transaction: nobody waits for it."""

    atomic = False

    dependencies = [
        ("devices", "0019_never_contact"),
    ]

    operations = [
        ValidateConstraint(model_name="consentrecord", name="devices_consentrecord_subjects"),
        AddIndexConcurrently(
            model_name="enduser",
            index=models.Index(
                fields=["brand", "id"], condition=Q(never_contact=True), name="devices_enduser_never_contact"
            ),
        ),
    ]
