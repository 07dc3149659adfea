from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    """Columns alone, which need no look at a row: those of keyed journeys, waits, control groups and settings.

    Wider texts keep their tables and indexes as they are. The release before writes rows without the new columns.
    """

    dependencies = [
        ('campaigns', '0009_constraint_words'),
        ('devices', '0031_words_of_keys_and_pictures'),
    ]

    operations = [
        migrations.AddField(
            model_name='enrolment',
            name='arm',
            field=models.CharField(blank=True, choices=[('control', 'Control group'), ('holdout', 'Global control group')], db_default='', default='', max_length=8),
        ),
        migrations.AddField(
            model_name='enrolment',
            name='awaited_event',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AddField(
            model_name='enrolment',
            name='run_key',
            field=models.CharField(blank=True, db_default='', default='', help_text='Of a campaign that is keyed by an event property: its value, or the SHA-256 of a longer one.', max_length=64),
        ),
        migrations.AddField(
            model_name='enrolment',
            name='state_data',
            field=models.JSONField(db_default={}, default=dict, help_text='What activities keep, such as loop counts.'),
        ),
        migrations.AddField(
            model_name='steprun',
            name='brand_id',
            field=models.BigIntegerField(help_text='Empty for steps of before 0.4.0.', null=True),
        ),
        migrations.AddField(
            model_name='versionstep',
            name='settings',
            field=models.JSONField(db_default={}, default=dict, help_text="The activity's settings; the engine joins length, branches and content."),
        ),
        migrations.AlterField(
            model_name='campaign',
            name='entry_interval',
            field=models.IntegerField(default=0, help_text='Minimum time between two entries of the same end user, in seconds.'),
        ),
        migrations.AlterField(
            model_name='campaign',
            name='entry_mode',
            field=models.CharField(choices=[('once', 'Once per person'), ('once_while_open', 'Again after the last run has ended'), ('every_time', 'Every time'), ('restart', 'Restart: end the open run, begin again')], default='once', max_length=16),
        ),
        migrations.AlterField(
            model_name='enrolment',
            name='at_kind',
            field=models.CharField(max_length=32),
        ),
        migrations.AlterField(
            model_name='enrolment',
            name='waiting_for',
            field=models.CharField(blank=True, db_default='', default='', max_length=32),
        ),
        migrations.AlterField(
            model_name='historicalcampaign',
            name='entry_interval',
            field=models.IntegerField(default=0, help_text='Minimum time between two entries of the same end user, in seconds.'),
        ),
        migrations.AlterField(
            model_name='historicalcampaign',
            name='entry_mode',
            field=models.CharField(choices=[('once', 'Once per person'), ('once_while_open', 'Again after the last run has ended'), ('every_time', 'Every time'), ('restart', 'Restart: end the open run, begin again')], default='once', max_length=16),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='kind',
            field=models.CharField(max_length=32),
        ),
        migrations.AlterField(
            model_name='steprun',
            name='outcome',
            field=models.CharField(blank=True, db_default='', default='', max_length=32),
        ),
        migrations.AlterField(
            model_name='versionstep',
            name='content',
            field=models.JSONField(default=dict, help_text='What it sends or shows, as dispatches carry it.'),
        ),
        migrations.AlterField(
            model_name='versionstep',
            name='kind',
            field=models.CharField(max_length=32),
        ),
        migrations.AlterField(
            model_name='versionstep',
            name='next',
            field=models.JSONField(default=dict, help_text='Outcome to the key of the next activity; absent ends the journey.'),
        ),
        migrations.AlterField(
            model_name='versionstep',
            name='seconds',
            field=models.IntegerField(default=0, help_text='How long it waits: a delay, or a popup for its answer.'),
        ),
        migrations.AlterField(
            model_name='versionstep',
            name='target_devices',
            field=models.CharField(db_default='all', default='all', help_text='Unused since 0.4.0, which reads `settings`.', max_length=8),
        ),
        AddConstraintNotValid(
            model_name='enrolment',
            constraint=models.CheckConstraint(condition=models.Q(('arm__in', ['', 'control', 'holdout'])), name='campaigns_enrolment_arm'),
        ),
    ]
