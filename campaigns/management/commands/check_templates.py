"""`manage.py check_templates`: texts in use that the limits of today would end; exit 1 with where to fix them."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.urls import reverse

from assets.selectors.templates import FaultyText, faulty_texts
from campaigns.drafts.revisions import revisions_in_use
from smartpush.common.numbers import counted


class Command(BaseCommand):
    help = "List the texts of published pushes and popups that are over the limits of personalisation or invalid."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        used = revisions_in_use()
        rows = [
            _row(text, used[text.revision._meta.model_name.removesuffix("revision")][text.revision.pk])  # type: ignore[union-attr]
            for text in faulty_texts(pushes=used["push"], popups=used["popup"])
        ]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
        else:
            for row in rows:
                self.stdout.write(
                    f"BAD  {row['kind']} {row['name']!r} of {row['brand']}, revision {row['revision']},"
                    f" {row['language'] or 'all languages'}, {row['field']}: {row['problem']}\n     {row['mend']}"
                )
            count = sum(map(len, used.values()))
            checked, faulty = counted(number=count, one="revision"), counted(number=len(rows), one="text")
            self.stdout.write(f"{checked} checked, {faulty} to fix.")
        if rows:
            raise SystemExit(1)


def _row(text: FaultyText, campaigns: list[str]) -> dict[str, Any]:
    resource = text.revision.resource
    name = resource._meta.model_name
    path = reverse(f"admin:assets_{name}_change", args=[resource.pk])
    mend = f"Change it at {settings.SMARTPUSH_PUBLIC_URL}{path}{f'?language={text.language}' if text.language else ''}"
    if not text.is_current:
        mend = f"A later revision is current: {settings.SMARTPUSH_PUBLIC_URL}{path}"
    if campaigns:
        mend += f", then publish again: {', '.join(campaigns)}"
    return {
        "kind": str(resource._meta.verbose_name),
        "name": resource.name,
        "brand": resource.brand.name,
        "revision": text.revision.number,
        "language": text.language,
        "field": text.field,
        "problem": text.problem,
        "campaigns": campaigns,
        "mend": f"{mend}.",
    }
