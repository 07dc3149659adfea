"""Models and fields take the glossary's names; tables and columns keep theirs, so that nothing in the database changes."""

from django.db import migrations, models

_RENAMED = {"presence": "segment membership", "passage": "membership change"}


def _rename_permissions(apps, schema_editor):
    """Rename the permissions with their models, which Django leaves alone: groups and staff keep what they were given."""
    permissions = apps.get_model("auth", "Permission").objects.using(schema_editor.connection.alias)
    for old, words in _RENAMED.items():
        for action in ("add", "change", "delete", "view"):
            permissions.filter(content_type__app_label="segments", codename=f"{action}_{old}").update(
                codename=f"{action}_{words.replace(' ', '')}", name=f"Can {action} {words}"
            )


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("segments", "0010_halves_of_ask"),
    ]

    operations = [
        migrations.AlterModelTable(name="presence", table="segments_presence"),
        migrations.AlterModelTable(name="passage", table="segments_passage"),
        migrations.RenameModel(old_name="Presence", new_name="SegmentMembership"),
        migrations.RenameModel(old_name="Passage", new_name="MembershipChange"),
        migrations.RunPython(_rename_permissions, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="segmentwork",
            name="rung_at",
            field=models.DateTimeField(db_column="rung_at", null=True),
        ),
        migrations.AlterField(
            model_name="segmentwork",
            name="failure",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Why the last attempt failed.", max_length=300
            ),
        ),
        migrations.AlterField(
            model_name="segmentwork",
            name="seconds",
            field=models.FloatField(db_default=0, default=0, help_text="How long it took the last time."),
        ),
        migrations.RenameField(model_name="segmentwork", old_name="rung_at", new_name="notified_at"),
    ]
