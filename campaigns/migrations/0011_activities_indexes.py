from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models
from django.db.models import Q

ONE_OPEN = models.UniqueConstraint(
    fields=["campaign", "end_user", "run_key"],
    condition=Q(state="active", exclusive=True),
    name="campaigns_enrolment_one_open_key",
)
# An attempt that was broken off leaves an index that holds nothing: it is made anew.
DROP = "DROP INDEX CONCURRENTLY IF EXISTS campaigns_enrolment_one_open_key"
CREATE = """
CREATE UNIQUE INDEX CONCURRENTLY campaigns_enrolment_one_open_key
ON campaigns_enrolment (campaign_id, end_user_id, run_key) WHERE exclusive AND state = 'active'
"""


class Migration(migrations.Migration):
    """What reads whole tables, outside a transaction: nobody waits for it."""

    atomic = False

    dependencies = [
        ("campaigns", "0010_activities"),
    ]

    operations = [
        ValidateConstraint(model_name="enrolment", name="campaigns_enrolment_arm"),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL([DROP, CREATE], DROP)],
            state_operations=[migrations.AddConstraint(model_name="enrolment", constraint=ONE_OPEN)],
        ),
        AddIndexConcurrently(
            model_name="enrolment",
            index=models.Index(
                fields=["brand_id", "awaited_event", "end_user"],
                condition=Q(state="active") & ~Q(awaited_event=""),
                name="campaigns_enrolment_awaited",
            ),
        ),
    ]
