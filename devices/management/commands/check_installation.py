"""Check a website's installation, as its page in the back office does: for CI, with an exit code."""

import json
import time
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from devices.lifecycle.site_check import (
    CannotTest,
    Finding,
    State,
    Ways,
    findings_of,
    live_of,
    site_look,
    site_test_send,
)
from devices.models import App, Delivery
from smartpush.common.addresses.origins import LOCAL_ORIGIN, is_local_origin, normal_origin
from smartpush.common.time.clock import utc_now

WAYS = Ways(
    another_page="Name a page that everybody may open with --path.",
    send_test="Send one with --send.",
)
_LOOK_EVERY = 0.5  # seconds
_ON_ITS_WAY = {Delivery.State.READY, Delivery.State.SENDING, Delivery.State.ACCEPTED}


class Command(BaseCommand):
    help = (
        "Check a website's installation: page, script, key, refused origins, worker file, policy, session,"
        " subscription, test push."
        " Exits with 1 where something is wrong; with --strict also where something is not seen yet."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "origin",
            help="The website's exact origin, such as https://www.shop.example; for a developer's machine the one with"
            " its port, such as http://localhost:3000.",
        )
        parser.add_argument("--brand", default="", help="The brand's public key, where several have this origin.")
        parser.add_argument("--path", default="/", help="The path of a page that everybody may open.")
        parser.add_argument("--worker", default="", help="The worker file, where the page does not name it.")
        parser.add_argument(
            "--send",
            action="store_true",
            help="Send a test push to the browser that subscribed last, and to no other, and wait for it.",
        )
        parser.add_argument(
            "--wait", type=int, default=15, help="How many seconds --send waits for the push to be displayed (15)."
        )
        parser.add_argument("--strict", action="store_true", help="Fail also where a check does not pass yet.")
        parser.add_argument("--json", action="store_true", help="Print one JSON array.")

    def handle(self, **options: Any) -> None:
        origin = normal_origin(options["origin"].strip())
        app = _website(typed=options["origin"], origin=origin, brand_key=options["brand"])
        path = options["path"]
        if app.origin == LOCAL_ORIGIN:
            path = urljoin(f"{origin}/", path)
        now = utc_now()
        if options["send"]:
            try:
                site_test_send(app=app, now=now)
            except CannotTest as refusal:
                raise CommandError(str(refusal)) from None
            _displayed_wait(app=app, seconds=options["wait"], now=now)
        seen = site_look(app=app, path=path, worker=options["worker"], now=now)
        findings = findings_of(app=app, seen=seen, live=live_of(app=app, now=now), ways=WAYS)
        if options["json"]:
            self.stdout.write(json.dumps([_row(one) for one in findings], indent=2))
        else:
            self._print(app, findings)
        failing = {State.WRONG, State.WAITING, State.UNKNOWN} if options["strict"] else {State.WRONG}
        failed = [one.title for one in findings if one.state in failing]
        if failed:
            raise CommandError(f"{len(failed)} of {len(findings)} checks failed: {'; '.join(failed)}.")

    def _print(self, app: App, findings: list[Finding]) -> None:
        for one in findings:
            at = f" ({one.at:%Y-%m-%d %H:%M:%S} UTC)" if one.at else ""
            self.stdout.write(f"{one.state:8} {one.title}: {one.text}{at}")
            for refusal in one.refusals:
                self.stdout.write(f"{'':9}{refusal.text} {refusal.fix}")
            if one.fix:
                self.stdout.write(f"{'':9}{one.fix}")
        page = settings.SMARTPUSH_PUBLIC_URL + reverse("admin:devices_app_check", args=[app.pk])
        self.stdout.write(f"The same list in the back office: {page}")


def _website(*, typed: str, origin: str | None, brand_key: str) -> App:
    """Return the website of this origin; raises CommandError with what to do where there is not just one."""
    sites = App.objects.select_related("brand").filter(kind=App.Kind.WEB)
    if brand_key:
        sites = sites.filter(brand__public_key=brand_key)
    if origin is None:
        raise CommandError(f"{typed!r} is not an origin such as https://www.shop.example.")
    local = is_local_origin(origin)
    apps = list(sites.filter(origin=origin).exclude(origin=LOCAL_ORIGIN).order_by("pk")[:2])
    if not apps and local:
        apps = list(sites.filter(origin=LOCAL_ORIGIN, archived_at=None).order_by("pk")[:2])
    if not apps and local:
        raise CommandError(_no_local_pages(origin))
    if not apps:
        raise CommandError(
            f"No brand has the website {origin}. Give its exact origin, as under Settings, Apps, or add it there."
        )
    if len(apps) > 1:
        raise CommandError("Several brands have this website: say which one with --brand and its public key.")
    return apps[0]


def _no_local_pages(origin: str) -> str:
    if not settings.DEVELOPMENT:
        return f"{origin} is a developer's own machine, and a production server lets in no pages from there."
    return (
        f"{origin} is a developer's own machine, and no brand lets in pages from there. Switch on “Pages on"
        " developers' own machines” in the brand's settings, under Development."
    )


def _displayed_wait(*, app: App, seconds: int, now: datetime) -> None:
    """Wait until the test push was displayed, has failed, or the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        test = live_of(app=app, now=now).test
        if test is None or test.displayed_at is not None or test.state not in _ON_ITS_WAY:
            return
        time.sleep(_LOOK_EVERY)


def _row(one: Finding) -> dict[str, Any]:
    return {
        "check": one.key,
        "state": str(one.state),
        "text": one.text,
        "fix": one.fix,
        "at": one.at.isoformat() if one.at else None,
        "refused": [
            {"origin": refusal.origin, "count": refusal.count, "text": refusal.text, "fix": refusal.fix}
            for refusal in one.refusals
        ],
    }
