"""Give a brand a new VAPID key; its visitors move over by themselves (docs/operators/keys.md)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from devices.lifecycle.brands import vapid_key_add
from devices.models import Brand


class Command(BaseCommand):
    help = "Makes a new active VAPID key. Subscriptions made with the old one go on, and are renewed at the next visit."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("brand", help="The brand's public key, as its website's script names it.")

    def handle(self, *args: Any, **options: Any) -> None:
        brand = Brand.objects.filter(public_key=options["brand"]).first()
        if brand is None:
            known = ", ".join(f"{one.name}: {one.public_key}" for one in Brand.objects.order_by("name")[:20])
            raise CommandError(f"No brand has this public key. There are: {known or 'none'}.")
        key = vapid_key_add(brand=brand)
        self.stdout.write(f"{brand.name}: {key.public_key} signs for new subscriptions; old ones keep their key.")
