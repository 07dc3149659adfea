from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """The wider constraint has a new name: the old code runs under either. The table has a few rows a segment."""

    dependencies = [
        ("segments", "0006_ready_segments"),
    ]

    operations = [
        migrations.AddField(
            model_name="segment",
            name="never_contact",
            field=models.IntegerField(
                editable=False, help_text="Those of them who were marked never contact then.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="segmentwork",
            name="kind",
            field=models.CharField(
                choices=[
                    ("sweep", "Compare who is in it with who is kept as in it"),
                    ("size", "Compute its size"),
                    ("mark", "Mark everybody in it never contact"),
                ],
                max_length=8,
            ),
        ),
        migrations.RemoveConstraint(model_name="segmentwork", name="segments_segmentwork_kind"),
        migrations.AddConstraint(
            model_name="segmentwork",
            constraint=models.CheckConstraint(
                condition=Q(kind__in=["sweep", "size", "mark"]), name="segments_segmentwork_kinds"
            ),
        ),
    ]
