"""Ready segments are known by a key; every brand gets those that it does not have."""

from django.db import migrations, models

_STATUS = "push_status_last_session"
# As segments/services/ready.py had them: key, name, description, rule.
READY = (
    (
        "push_enabled",
        "Push enabled",
        "End users whom a push reaches now.",
        {"field": "push_enabled", "operator": "is", "value": True},
    ),
    (
        "to_ask",
        "To be asked",
        "Push status of the last session is Ask: they can still be asked for permission.",
        {"field": _STATUS, "operator": "is", "value": "ask"},
    ),
    (
        "asked_later",
        "Asked and later",
        "Push status of the last session is Ask, and their last answer to a permission popup was Maybe later.",
        {
            "all": [
                {"field": _STATUS, "operator": "is", "value": "ask"},
                {"field": "popup_last_answer", "operator": "is", "value": "later"},
            ]
        },
    ),
    (
        "blocked",
        "Blocked",
        "Push status of the last session is Blocked.",
        {"field": _STATUS, "operator": "is", "value": "blocked"},
    ),
    (
        "suspended",
        "Suspended",
        "Push status of the last session is Suspended: somebody else logged in on their device.",
        {"field": _STATUS, "operator": "is", "value": "suspended"},
    ),
    (
        "dormant",
        "Dormant 30 days",
        "Their last visit is more than 30 days ago.",
        {"field": "last_seen", "operator": "before_the_last", "value": {"count": 30, "unit": "day", "zone": "brand"}},
    ),
    (
        "new",
        "New this week",
        "First seen in the current week, which begins on Monday in the brand's time zone.",
        {"field": "first_seen", "operator": "in_current", "value": {"unit": "week", "zone": "brand"}},
    ),
)


def give(apps, schema_editor):
    """Key those that a brand has by name, whatever was made of them; make the missing ones."""
    Segment = apps.get_model("segments", "Segment")
    for brand_id in apps.get_model("devices", "Brand").objects.values_list("pk", flat=True):
        own = Segment.objects.filter(brand_id=brand_id)
        for key, name, description, rule in READY:
            if own.filter(name=name).update(ready=key) == 0:
                rules = {"version": 1, "rule": rule}
                Segment.objects.create(brand_id=brand_id, name=name, ready=key, description=description, rules=rules)


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0012_consent_subject_words"),
        ("segments", "0005_works"),
    ]

    operations = [
        migrations.AddField(
            model_name="segment",
            name="ready",
            field=models.CharField(
                blank=True,
                choices=[
                    ("push_enabled", "Push enabled"),
                    ("to_ask", "To be asked"),
                    ("asked_later", "Asked and later"),
                    ("blocked", "Blocked"),
                    ("suspended", "Suspended"),
                    ("dormant", "Dormant 30 days"),
                    ("new", "New this week"),
                ],
                db_default="",
                default="",
                editable=False,
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.UniqueConstraint(
                fields=("brand", "ready"),
                condition=models.Q(("ready", ""), _negated=True),
                name="segments_segment_ready_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "ready__in",
                        ["", "push_enabled", "to_ask", "asked_later", "blocked", "suspended", "dormant", "new"],
                    )
                ),
                name="segments_segment_ready",
            ),
        ),
        # Last: PostgreSQL alters no table that has rows of which foreign keys are still to be looked at.
        migrations.RunPython(give, migrations.RunPython.noop, elidable=True),
    ]
