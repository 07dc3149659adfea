"""Move every encrypted secret to the newest key, and say which old keys may go (docs/operators/keys.md)."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from devices.lifecycle.secrets import BATCH, keys_free, keys_readable_again, secrets_move
from smartpush.common.crypto import key_name
from smartpush.common.time.clock import utc_now


class Command(BaseCommand):
    help = "Encrypts every stored secret under the newest key of SMARTPUSH_ENCRYPTION_KEYS. May be repeated."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Count, and write nothing.")
        parser.add_argument("--batch", type=int, default=BATCH, help="Secrets a transaction.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["batch"] < 1:
            raise CommandError("--batch must be at least 1.")
        dry_run = options["dry_run"]
        moved = secrets_move(dry_run=dry_run, batch=options["batch"])
        verb = "would be moved" if dry_run else "moved"
        for one in moved:
            newest = one.left[0] - (0 if dry_run else one.moved)
            self.stdout.write(
                f"{one.name}: {one.total}; {newest} under the newest key already, {one.moved} {verb},"
                f" {len(one.unreadable)} unreadable."
            )
            for name in one.unreadable:
                self.stdout.write(f"  {name}: no key reads it.")
        if not dry_run:
            self.stdout.write(
                f"Messages held for a key that can be read again, now due: {keys_readable_again(now=utc_now())}."
            )
        self._old_keys(keys_free(moved))
        if any(one.unreadable for one in moved):
            raise CommandError(
                "Some secrets cannot be read: put the key that wrote them back into SMARTPUSH_ENCRYPTION_KEYS and run"
                " this again, or replace them (docs/operators/keys.md)."
            )

    def _old_keys(self, free: list[int]) -> None:
        for place in range(1, len(settings.SMARTPUSH_ENCRYPTION_KEYS)):
            name = key_name(place)
            if place in free:
                self.stdout.write(
                    f"Nothing is left under {name}: remove it from SMARTPUSH_ENCRYPTION_KEYS"
                    " once every process has been restarted with the newest key in front."
                )
            else:
                self.stdout.write(f"Keep {name}: something is still encrypted under it.")
