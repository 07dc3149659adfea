from django.db import migrations, models


class Migration(migrations.Migration):
    """The canonical form of each language tag, beside the tag as it was sent. The old code leaves it null."""

    dependencies = [
        ("devices", "0021_origins_spelled"),
    ]

    operations = [
        migrations.AddField(
            model_name="device",
            name="language_canonical",
            field=models.CharField(editable=False, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="enduser",
            name="language_canonical",
            field=models.CharField(editable=False, max_length=32, null=True),
        ),
    ]
