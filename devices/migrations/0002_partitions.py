from django.db import migrations

from smartpush.common.database.partitions import partition_sql


class Migration(migrations.Migration):
    dependencies = [("devices", "0001_initial")]

    operations = [
        migrations.RunSQL(
            partition_sql(
                "devices_delivery",
                ["id", "day"],
                [
                    "CREATE UNIQUE INDEX devices_delivery_step ON devices_delivery"
                    " (enrolment_id, step_seq, device_id, day) WHERE enrolment_id IS NOT NULL",
                    "CREATE UNIQUE INDEX devices_delivery_request ON devices_delivery"
                    " (request_id, device_id, day) WHERE request_id IS NOT NULL",
                    "ALTER TABLE devices_delivery ADD CONSTRAINT devices_delivery_state CHECK (state IN ('ready',"
                    " 'sending', 'accepted', 'failed', 'gone', 'expired', 'cancelled', 'unknown', 'suppressed'))",
                    "ALTER TABLE devices_delivery ADD CONSTRAINT devices_delivery_ends_with_reason CHECK"
                    " (state IN ('ready', 'sending', 'accepted') OR reason <> '')",
                ],
            ),
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(partition_sql("devices_event", ["id", "day"]), migrations.RunSQL.noop),
    ]
