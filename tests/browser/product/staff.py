"""Log a member of staff in to the product's back office, without its log-in page."""

from typing import Any

from django.test import Client
from playwright.sync_api import BrowserContext

from devices.models import Brand

BACKEND = "django.contrib.auth.backends.ModelBackend"


def log_in(*, context: BrowserContext, url: str, user: Any, brand: Brand) -> None:
    """Let the browser's pages be this person's, at this brand; `url` is the product's."""
    client = Client()
    client.force_login(user, backend=BACKEND)
    session = client.session
    session["brand"] = brand.pk
    session.save()
    context.add_cookies([{"name": "sessionid", "value": session.session_key or "", "url": url}])
