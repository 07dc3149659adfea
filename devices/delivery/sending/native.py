"""From a revision and an end user to one FCM message; docs/native/payload.md is its contract with the app."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.conf import settings

from devices.brands.models import App, Incident
from devices.brands.services.incidents import incident_note
from devices.delivery.sending.claim import Claim, Row
from devices.delivery.sending.keys import DETAIL
from devices.delivery.sending.render import (
    BrandFacts,
    CannotSend,
    address_render,
    refusal_of,
    report_url,
    variables_of,
    variant_pick,
)
from devices.delivery.sending.tagging import utm_tagged
from devices.delivery.services.fcm_accounts import app_account, app_subject
from devices.delivery.transports.base import SendRefused
from devices.delivery.transports.fcm.credentials import ServiceAccount
from devices.delivery.transports.fcm.encoder import NativeMessage, encode
from devices.delivery.transports.fcm.key_files import CredentialsRefused
from smartpush.common.addresses.deep_links import is_allowed_deep_link
from smartpush.common.crypto import CannotDecrypt
from smartpush.common.ids import public_id, report_token, topic
from smartpush.common.language.languages import direction_of
from smartpush.common.personalisation import CannotRender, Meter, render

PREFIX = "smartpush_"
"""Begins every key of ours in a message's data; FCM keeps `from`, `gcm` and `google` for itself."""
VERSION = "1"


@dataclass(frozen=True, slots=True)
class AppFacts:
    """What a native send needs of the app: its platform, its credentials (if there are any), how it shows messages."""

    platform: Literal["android", "ios"]
    account: ServiceAccount | None
    channel_id: str
    icon: str
    sound: str
    unreadable: bool = False


def app_facts(*, origin: str, brand_id: int, now: datetime) -> AppFacts:
    """The app that an origin such as `fcm:12` stands for.

    An account that cannot be read any more is an incident: its messages are held.
    """
    app = App.objects.filter(pk=int(origin.removeprefix("fcm:")), brand_id=brand_id).first()
    if app is None:  # deleted, and its devices with it: the gate lets nothing through
        return AppFacts("android", None, "", "", "")
    account, unreadable = None, False
    try:
        account = app_account(app=app)
    except (CannotDecrypt, CredentialsRefused) as problem:
        unreadable = True
        incident_note(
            kind=Incident.Kind.KEY_UNREADABLE,
            brand_id=brand_id,
            subject=app_subject(app.pk),
            now=now,
            detail=DETAIL if isinstance(problem, CannotDecrypt) else "It is no key file any more.",
        )
    return AppFacts(
        platform="ios" if app.kind == App.Kind.IOS else "android",
        account=account,
        channel_id=app.android_channel_id,
        icon=app.android_icon,
        sound=app.sound,
        unreadable=unreadable,
    )


def native_render(
    *, row: Row, claim: Claim, brand: BrandFacts, app: AppFacts, now: datetime, meter: Meter | None = None
) -> bytes:
    """The body of FCM's send call for one device; raises CannotSend. `meter` counts what its texts take together."""
    meter = meter or Meter()
    meter.zone = row.zone
    content = claim.content
    language, variant = variant_pick(content=content, languages=(row.language, row.device_language))
    variables = variables_of(row=row, brand=brand)
    utm = content.get("utm") or {}
    try:
        title = render(variant["title"], variables, field="title", meter=meter)
        body = render(variant["message"], variables, field="message", meter=meter)
        buttons = [
            {
                "action": button["id"],
                "title": render(button["title"], variables, field=f"button {number}", meter=meter),
                "link": _link(button, f"button {number}", variables, brand, utm, meter),
            }
            for number, button in enumerate(variant.get("buttons", []), start=1)
        ]
        link = _link(variant, "link", variables, brand, utm, meter)
    except CannotRender as problem:
        raise refusal_of(problem) from problem
    image = variant.get("image", "")
    actions = json.dumps(buttons, ensure_ascii=False, separators=(",", ":")) if buttons else ""
    data = {
        "v": VERSION,
        "id": public_id("delivery", row.id),
        "link": link,
        "actions": actions,
        "lang": language,
        "dir": direction_of(language),
        "report_url": report_url(),
        "report_token": report_token(row.id, claim.day),
    }
    left = max(int((row.kept_until - now).total_seconds()), 0)
    message = NativeMessage(
        token=row.native_token,
        platform=app.platform,
        title=title,
        body=body,
        data={PREFIX + name: value for name, value in data.items() if value},
        tag=topic(row.id),
        ttl=left,
        expires_at=int(row.kept_until.timestamp()) if left else 0,
        urgency=claim.urgency,
        image=image,
        sound="" if content.get("silent") else app.sound,
        channel_id=app.channel_id,
        icon=app.icon,
        badge=content.get("app_badge"),
        category=_category(buttons),
        thread=public_id("dispatch", claim.dispatch_id),
    )
    try:
        return encode(message)
    except SendRefused as problem:
        if problem.code != "payload_too_large":
            raise CannotSend(problem.code) from problem
        parts = {"title": title, "message": body, "link": link, "buttons": actions, "image": image}
        longest = max(parts, key=lambda name: len(parts[name].encode()))
        raise CannotSend(f"payload_too_large:{longest}") from problem


def _link(
    part: Mapping[str, Any],
    field: str,
    variables: Mapping[str, Any],
    brand: BrandFacts,
    utm: Mapping[str, str],
    meter: Meter,
) -> str:
    """What the app is to open: the deep link where there is one, else the click's address; empty: just the app."""
    template = part.get("deep_link", "")
    if not template:
        return utm_tagged(address_render(part.get("url", ""), field, variables, brand, meter), utm)
    link = render(template, variables, field=field, meter=meter, address=True)
    if not is_allowed_deep_link(link, hosts=brand.click_hosts, dev_origins=settings.SMARTPUSH_DEV_ORIGINS):
        raise CannotSend(f"deep_link_refused:{field}"[:40])
    return utm_tagged(link, utm)


def _category(buttons: list[dict[str, str]]) -> str:
    """iOS shows buttons by a category that the app registers: one name for each set of titles."""
    if not buttons:
        return ""
    titles = "\x00".join(f"{one['action']}\x00{one['title']}" for one in buttons)
    return PREFIX + hashlib.sha256(titles.encode()).hexdigest()[:16]
