from django.db import migrations

from smartpush.common.database.partitions import partition_sql


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0001_initial")]

    operations = [
        migrations.RunSQL(
            partition_sql("campaigns_steprun", ["enrolment_id", "step_seq", "day"]), migrations.RunSQL.noop
        ),
    ]
