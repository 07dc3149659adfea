from django.db import migrations, models


class Migration(migrations.Migration):
    """Sizes that were kept before have no halves until they are computed again, at the latest on the next day."""

    dependencies = [
        ("segments", "0009_constraint_words"),
    ]

    operations = [
        migrations.AddField(
            model_name="segment",
            name="ask_visited",
            field=models.IntegerField(
                editable=False, help_text="Those of them who were at Ask then and had visited.", null=True
            ),
        ),
        migrations.AddField(
            model_name="segment",
            name="ask_never_visited",
            field=models.IntegerField(
                editable=False, help_text="Those of them who were at Ask then and had never visited.", null=True
            ),
        ),
    ]
