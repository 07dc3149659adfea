"""Check a website's installation, as its page in the back office does: for CI, with an exit code."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from devices.models import App
from devices.services.site_check import State, findings_of, live_of, site_look
from smartpush.common.clock import utc_now


class Command(BaseCommand):
    help = (
        "Check a website's installation: page, script, key, worker file, policy, session, subscription, test push."
        " Exits with 1 where something is wrong; with --strict also where something is not seen yet."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("origin", help="The website's exact origin, such as https://www.shop.example")
        parser.add_argument("--brand", default="", help="The brand's public key, where several have this origin.")
        parser.add_argument("--path", default="/", help="A page that everybody may open; for a developer's machine its"
                            " whole address.")  # fmt: skip
        parser.add_argument("--worker", default="", help="The worker file, where the page does not name it.")
        parser.add_argument("--strict", action="store_true", help="Fail also where a check does not pass yet.")
        parser.add_argument("--json", action="store_true", help="Print one JSON array.")

    def handle(self, **options: Any) -> None:
        found = App.objects.select_related("brand").filter(kind=App.Kind.WEB, origin=options["origin"].rstrip("/"))
        if options["brand"]:
            found = found.filter(brand__public_key=options["brand"])
        apps = list(found.order_by("pk")[:2])
        if not apps:
            raise CommandError(
                f"No brand has the website {options['origin']}. Give its exact origin, as under Settings, Apps."
            )
        if len(apps) > 1:
            raise CommandError("Several brands have this website: say which one with --brand and its public key.")
        (app,) = apps
        now = utc_now()
        seen = site_look(app=app, path=options["path"], worker=options["worker"], now=now)
        findings = findings_of(app=app, seen=seen, live=live_of(app=app, now=now))
        if options["json"]:
            rows = [
                {
                    "check": one.key,
                    "state": str(one.state),
                    "text": one.text,
                    "fix": one.fix,
                    "at": one.at.isoformat() if one.at else None,
                }
                for one in findings
            ]
            self.stdout.write(json.dumps(rows, indent=2))
        else:
            for one in findings:
                at = f" ({one.at:%Y-%m-%d %H:%M:%S} UTC)" if one.at else ""
                self.stdout.write(f"{one.state:8} {one.title}: {one.text}{at}")
                if one.fix:
                    self.stdout.write(f"{'':9}{one.fix}")
        failing = {State.WRONG, State.WAITING, State.UNKNOWN} if options["strict"] else {State.WRONG}
        failed = [one.title for one in findings if one.state in failing]
        if failed:
            raise CommandError(f"{len(failed)} of {len(findings)} checks failed: {'; '.join(failed)}.")
