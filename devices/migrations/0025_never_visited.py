from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

STATUSES = [
    ("ask", "Ask"),
    ("allowed", "Allowed"),
    ("blocked", "Blocked"),
    ("not_supported", "Browser Not Supported"),
    ("suspended", "Suspended"),
]


class Migration(migrations.Migration):
    """The index of people who never visited, made while others write; the rest changes labels alone."""

    atomic = False

    dependencies = [
        ("devices", "0024_local_pages"),
    ]

    operations = [
        migrations.AlterField(
            model_name="enduser",
            name="last_session_status",
            field=models.CharField(
                choices=STATUSES,
                db_default="ask",
                default="ask",
                max_length=16,
                verbose_name="push status of the last session",
            ),
        ),
        migrations.AlterField(
            model_name="pushstatus",
            name="status",
            field=models.CharField(choices=STATUSES, default="ask", max_length=16),
        ),
        migrations.AlterField(
            model_name="pushstatuschange",
            name="new",
            field=models.CharField(choices=STATUSES, max_length=16),
        ),
        migrations.AlterField(
            model_name="pushstatuschange",
            name="old",
            field=models.CharField(blank=True, choices=STATUSES, max_length=16),
        ),
        AddIndexConcurrently(
            model_name="enduser",
            index=models.Index(
                fields=["brand", "id"],
                condition=Q(last_session_status="ask", last_session_at__isnull=True),
                name="devices_enduser_never_visited",
            ),
        ),
    ]
