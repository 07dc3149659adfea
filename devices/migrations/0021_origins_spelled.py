from django.db import migrations
from django.utils import timezone

from smartpush.common.addresses.origins import normal_origin

BATCH = 500


def origins_spell(apps, schema_editor):
    """Spell the origins of websites as browsers send them: `https://bücher.example` was never matched by any.

    Where the brand has the browsers' spelling as well, that website has the devices: the other one is archived as it
    is, and named. What no browser sends stays, takes no calls as before, and is named too.
    """
    App = apps.get_model("devices", "App")
    after = 0
    while True:
        rows = list(App.objects.filter(kind="web", pk__gt=after).order_by("pk")[:BATCH])
        if not rows:
            return
        after = rows[-1].pk
        for app in rows:
            spelled = normal_origin(app.origin)
            if spelled == app.origin:
                continue
            if spelled is None:
                print(f"\nWebsite {app.pk} ({app.name}): no browser sends {app.origin!r}. Correct it in its brand.")
            elif App.objects.filter(brand_id=app.brand_id, origin=spelled).exists():
                if app.archived_at is None:
                    app.archived_at, app.tokens_pending, app.tokens_upto = timezone.now(), True, 0
                    app.save(update_fields=["archived_at", "tokens_pending", "tokens_upto"])
                print(f"\nWebsite {app.pk} ({app.name}): archived, because its brand also has {spelled}.")
            else:
                App.objects.filter(pk=app.pk).update(origin=spelled)


class Migration(migrations.Migration):
    """Respell origins; nothing is undone on the way back, because both spellings mean the same website."""

    atomic = False

    dependencies = [
        ("devices", "0020_never_contact_index"),
    ]

    operations = [
        migrations.RunPython(origins_spell, migrations.RunPython.noop),
    ]
