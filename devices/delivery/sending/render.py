"""From a revision and an end user to the bytes of one web push."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.conf import settings

from devices.brands.models import Brand
from devices.brands.selectors.click_hosts import click_hosts, home_page
from devices.delivery.sending.claim import Row
from devices.delivery.sending.declarative import declarative, shows_declarative
from devices.delivery.sending.tagging import utm_tagged
from devices.delivery.transports.encryption import MAX_PLAINTEXT
from smartpush.common.addresses.origins import is_allowed_click_url
from smartpush.common.ids import public_id, report_token, topic
from smartpush.common.language.languages import direction_of, language_pick
from smartpush.common.personalisation import RENDER_FAILED, CannotRender, Meter, render


class CannotSend(Exception):
    """This message cannot be made; `reason` goes on the delivery, with the field where one is to blame."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class BrandFacts:
    """What rendering needs of the brand: its name, where clicks may lead, and its first https page."""

    name: str
    click_hosts: frozenset[str]
    home: str = ""


def brand_facts(*, brand_id: int) -> BrandFacts:
    """The brand's name, every host that its clicks may lead to, and its first https page."""
    brand = Brand.objects.only("name", "click_hosts").get(pk=brand_id)
    return BrandFacts(name=brand.name, click_hosts=click_hosts(brand=brand), home=home_page(brand=brand))


def variant_pick(*, content: Mapping[str, Any], languages: tuple[str, ...]) -> tuple[str, Mapping[str, Any]]:
    """The variant in the first of these languages that there is one in, else the default (`language_pick`)."""
    variants: Mapping[str, Mapping[str, Any]] = content["variants"]
    found = language_pick(written=variants, wanted=languages, default=content["default_language"])
    return found, variants[found]


def variables_of(*, row: Row, brand: BrandFacts) -> dict[str, Any]:
    """What personalisation may name: `user`, `event`, `brand`."""
    return {
        "user": {**row.properties, "external_id": row.external_id or "", "language": row.language},
        "event": row.variables or {},
        "brand": {"name": brand.name},
    }


def report_url() -> str:
    """Where devices say what became of a message."""
    return f"{settings.SMARTPUSH_PUBLIC_URL}/api/v1/sdk/reports"


def refusal_of(problem: CannotRender) -> CannotSend:
    """Why a message whose text failed is not sent: with the field, or the limit that was met."""
    if problem.code == RENDER_FAILED:
        return CannotSend(f"render_failed:{problem.field}"[:40])
    return CannotSend(problem.code, detail=str(problem))


def address_render(value: str, field: str, variables: Mapping[str, Any], brand: BrandFacts, meter: Meter) -> str:
    """A click's address, personalised and checked once more; raises CannotSend, CannotRender."""
    url = render(value, variables, field=field, meter=meter, address=True)
    if url and not is_allowed_click_url(url, hosts=brand.click_hosts, dev_origins=settings.SMARTPUSH_DEV_ORIGINS):
        raise CannotSend(f"click_url_refused:{field}"[:40])
    return url


def payload_render(
    *, row: Row, day: date, content: Mapping[str, Any], brand: BrandFacts, meter: Meter | None = None
) -> bytes:
    """The plaintext of one web push (UTF-8 JSON, at most 3,993 bytes); raises CannotSend.

    `meter` counts what its texts take together.
    """
    meter = meter or Meter()
    meter.zone = row.zone
    language, variant = variant_pick(content=content, languages=(row.language, row.device_language))
    variables = variables_of(row=row, brand=brand)
    utm = content.get("utm") or {}
    try:
        message: dict[str, Any] = {
            "v": 1,
            "id": public_id("delivery", row.id),
            "title": render(variant["title"], variables, field="title", meter=meter),
            "body": render(variant["message"], variables, field="message", meter=meter),
            "icon": variant.get("icon", ""),
            "image": variant.get("image", ""),
            "badge": variant.get("badge", ""),
            "tag": topic(row.id),
            "lang": language,
            "dir": direction_of(language),
            "url": utm_tagged(address_render(variant.get("url", ""), "url", variables, brand, meter), utm),
            "silent": True if content.get("silent") else None,
            "app_badge": content.get("app_badge"),
            "actions": [
                {
                    "action": button["id"],
                    "title": render(button["title"], variables, field=f"button {number}", meter=meter),
                    "url": utm_tagged(
                        address_render(button.get("url", ""), f"button {number}", variables, brand, meter), utm
                    ),
                }
                for number, button in enumerate(variant.get("buttons", []), start=1)
            ],
            "report": {
                "url": report_url(),
                "token": report_token(row.id, day),
            },
        }
    except CannotRender as problem:
        raise refusal_of(problem) from problem
    document = {"smartpush": {key: value for key, value in message.items() if value not in ("", [], None)}}
    if shows_declarative(row.endpoint):
        # Ours comes first: the worker knows a message of ours by its beginning even where it is cut off.
        both = _encode(document | (declarative(message=message, home=brand.home) or {}))
        if len(both) <= MAX_PLAINTEXT:
            return both
    payload = _encode(document)
    if len(payload) > MAX_PLAINTEXT:
        longest = max(("title", "body", "url", "image", "icon", "badge"), key=lambda k: len(str(message[k]).encode()))
        raise CannotSend(f"payload_too_large:{'message' if longest == 'body' else longest}")
    return payload


def _encode(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
