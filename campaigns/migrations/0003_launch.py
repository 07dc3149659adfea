import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('campaigns', '0002_partitions'),
    ]

    operations = [
        migrations.CreateModel(
            name='Launch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slot', models.DateTimeField(help_text='The time in the schedule that this run is for.')),
                ('slice_width', models.SmallIntegerField(help_text='Buckets let in at a time.')),
                ('next_bucket', models.SmallIntegerField(default=0)),
                ('entered', models.IntegerField(default=0)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='launches', to='campaigns.campaign')),
            ],
            options={
                'verbose_name_plural': 'launches',
                'indexes': [models.Index(condition=models.Q(('finished_at__isnull', True)), fields=['started_at'], name='campaigns_launch_open')],
                'constraints': [models.UniqueConstraint(fields=('campaign', 'slot'), name='campaigns_launch_once'), models.CheckConstraint(condition=models.Q(('next_bucket__gte', 0), ('next_bucket__lte', 1000)), name='campaigns_launch_bucket')],
            },
        ),
    ]
