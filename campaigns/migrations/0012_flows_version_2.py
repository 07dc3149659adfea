from django.db import migrations

from campaigns.services.flows_upgrade import flows_upgrade


class Migration(migrations.Migration):
    """Drafts, their history and compiled flows become version 2, in batches of their own transactions.

    A web server of the release before may save a draft of version 1 after this; the ticker upgrades it within the hour.
    """

    atomic = False

    dependencies = [
        ("campaigns", "0011_activities_indexes"),
    ]

    operations = [
        migrations.RunPython(lambda apps, editor: flows_upgrade(), migrations.RunPython.noop),
    ]
