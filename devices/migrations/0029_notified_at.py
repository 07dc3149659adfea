"""A chunk's `rung_at` is `notified_at` in code; the column keeps its name."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("devices", "0028_newest_subscriber")]

    operations = [
        migrations.AlterField(
            model_name="deliverychunk",
            name="rung_at",
            field=models.DateTimeField(
                blank=True, db_column="rung_at", help_text="When a job was last queued for it.", null=True
            ),
        ),
        migrations.RenameField(model_name="deliverychunk", old_name="rung_at", new_name="notified_at"),
    ]
