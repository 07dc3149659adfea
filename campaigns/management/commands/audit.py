"""`manage.py audit`: proves that nothing is lost and nothing points nowhere; exit 1 with the findings when not."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from campaigns.selectors.audit import audit
from smartpush.common.time.clock import utc_now


class Command(BaseCommand):
    help = "Check the ledgers: every delivery in a state, every chunk accounted for, every reference alive."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--settled", action="store_true", help="Also complain about what is still under way.")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = audit(now=utc_now(), settled=options["settled"])
        if options["json"]:
            self.stdout.write(json.dumps([{"check": f.check, "count": f.count, "sample": f.sample} for f in findings]))
        else:
            for finding in findings:
                mark = "ok  " if not finding.count else "BAD "
                self.stdout.write(
                    f"{mark} {finding.check}: {finding.count}" + (f" {finding.sample}" if finding.count else "")
                )
        if any(finding.count for finding in findings):
            raise SystemExit(1)
