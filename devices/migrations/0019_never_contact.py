from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models
from django.db.models import Q

SUBJECTS = ["tracking", "popup", "preferences", "opt_out", "never_contact"]


class Migration(migrations.Migration):
    """A person whom nobody may contact. The wider constraint has a new name: the old code runs under either."""

    dependencies = [
        ("devices", "0018_app_archived"),
    ]

    operations = [
        migrations.AddField(
            model_name="enduser",
            name="never_contact",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="No message of any purpose and no popup reaches this person, and they enter no campaign.",
            ),
        ),
        migrations.AlterField(
            model_name="consentrecord",
            name="subject",
            field=models.CharField(
                choices=[
                    ("tracking", "Use of the site with smartpush"),
                    ("popup", "A popup"),
                    ("preferences", "Preferences"),
                    ("opt_out", "Opt-out"),
                    ("never_contact", "Never contact"),
                ],
                max_length=16,
            ),
        ),
        migrations.RemoveConstraint(model_name="consentrecord", name="devices_consentrecord_subject"),
        AddConstraintNotValid(
            model_name="consentrecord",
            constraint=models.CheckConstraint(condition=Q(subject__in=SUBJECTS), name="devices_consentrecord_subjects"),
        ),
    ]
