"""`manage.py demosite`: the demo shop alone, for a brand that exists."""

from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from devices.models import App
from smartpush.demo.site_server import make_app


class Command(BaseCommand):
    help = "Serve the demo shop on its own origin."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--brand", help="Public key; by default the newest brand that has the shop's origin.")

    def handle(self, *args: Any, **options: Any) -> None:
        origin = settings.SMARTPUSH_DEMO_SITE_URL

        @sync_to_async
        def brand_key() -> str:
            if options["brand"]:
                return str(options["brand"])
            app = App.objects.select_related("brand").filter(origin=origin).order_by("-brand_id").first()
            if app is None:
                raise web.HTTPServiceUnavailable(text=f"No brand has the website {origin} yet.")
            return app.brand.public_key

        parts = urlsplit(origin)
        site = make_app(brand_key=brand_key, host=settings.SMARTPUSH_PUBLIC_URL)
        web.run_app(site, host=parts.hostname, port=parts.port or 80, print=lambda *_: None, access_log=None)
