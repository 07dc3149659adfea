"""A popup whose first button only closes it: the constraint lets in one value more, which the old code never writes."""

from django.db import migrations, models

CHOICES = [
    ("permission", "Ask for push permission"),
    ("url", "Open a page"),
    ("click", "Record a click"),
    ("close", "Only close"),
]


class Migration(migrations.Migration):
    dependencies = [("assets", "0003_push_category")]

    operations = [
        migrations.RemoveConstraint(model_name="popuprevision", name="assets_popuprevision_primary"),
        migrations.AlterField(
            model_name="popuprevision",
            name="primary",
            field=models.CharField(choices=CHOICES, default="permission", max_length=12),
        ),
        migrations.AddConstraint(
            model_name="popuprevision",
            constraint=models.CheckConstraint(
                condition=models.Q(("primary__in", [value for value, _ in CHOICES])),
                name="assets_popuprevision_primary",
            ),
        ),
    ]
