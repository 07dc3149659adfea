from django.db import migrations


def _forget(apps, schema_editor):
    """Delete the model's content type, and with it its permissions, which open nothing any more."""
    kinds = apps.get_model("contenttypes", "ContentType").objects.using(schema_editor.connection.alias)
    kinds.filter(app_label="devices", model="sendhold").delete()


class Migration(migrations.Migration):
    """Drop the table of release 0.1.0 whose rows migration 0017 carried over; 0.2.0 no longer reads it."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("devices", "0029_notified_at"),
    ]

    operations = [
        migrations.DeleteModel(name="SendHold"),
        migrations.RunPython(_forget, migrations.RunPython.noop),
    ]
