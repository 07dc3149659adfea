"""`manage.py pushservice`: the local push service as a process of its own."""

import argparse
import ipaddress
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from devices.pushservice.server import run


class Command(BaseCommand):
    """Run the local push service until Ctrl-C; only where SMARTPUSH_LOCAL_PUSH is on."""

    help = "Serve a push service on this machine: web push, Firefox's websocket, FCM, and control calls."
    # It touches neither the database nor the site, and must be able to start before they do.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take the address, and whether messages are decrypted for who reads them."""
        parser.add_argument("--host", type=_address, default="127.0.0.1", help="address to listen on (this machine)")
        parser.add_argument("--port", type=int, default=8810, help="port, 0 for any free one (default 8810)")
        parser.add_argument("--no-decrypt", action="store_true", help="leave messages as they came")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse in production; otherwise serve."""
        if not settings.DEVELOPMENT:
            raise CommandError(
                "The local push service does not run in production: it hands out subscriptions and decrypts their"
                " messages for anyone who asks."
            )
        if not settings.SMARTPUSH_LOCAL_PUSH:
            raise CommandError(
                "The local push service is for development: it hands out subscriptions and decrypts their"
                " messages for anyone on this machine. Set SMARTPUSH_LOCAL_PUSH=true to run it."
            )
        if not _loopback(options["host"]):
            self.stderr.write(
                f"{options['host']} is not this machine alone: whoever reaches it can subscribe here and receive."
            )
        try:
            run(
                host=options["host"],
                port=options["port"],
                decrypt=not options["no_decrypt"],
                ready=self._announce,
            )
        except OSError as error:
            raise CommandError(f"Cannot listen on {options['host']}:{options['port']}: {error}") from error

    def _announce(self, url: str) -> None:
        self.stdout.write(f"push service listening on {url}")
        self.stdout.flush()


def _address(value: str) -> str:
    """Take an address; none at all would mean every address of the machine."""
    if not value.strip():
        raise argparse.ArgumentTypeError("name an address; 0.0.0.0 for all of this machine's")
    return value.strip()


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
