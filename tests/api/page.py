"""A page of a brand's website, as the server sees it: the calls of the SDK over Django's test client."""

import itertools
import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.test import Client

from assets.models import PopupRevision
from campaigns.models import Campaign
from campaigns.services.publish import campaign_publish
from campaigns.services.ready import campaign_make_ready
from devices.installations.reporting import Subscription
from devices.models import Brand, Device
from smartpush.common.ids import report_token, row_number
from tests.support.people import b64, new_subscription

BASE = "/api/v1/sdk/"
_hosts = itertools.count(1)
# One for all calls: each client loads the middleware anew, which reads the whole folder of static files.
CLIENT = Client(enforce_csrf_checks=True)


def post(
    path: str,
    body: Any,
    *,
    key: str = "",
    origin: str = "",
    address: str = "127.0.0.1",
    content_type: str = "application/json",
    **headers: str,
) -> Any:
    """One call; `body` is sent as it is when it is bytes or text."""
    sent = body if isinstance(body, bytes | str) else json.dumps(body)
    extra = {"X-Smartpush-Key": key, "Origin": origin, **{k.replace("_", "-"): v for k, v in headers.items()}}
    # Not client.post: that encodes the body by the charset that the content type claims.
    return CLIENT.generic(
        "POST",
        BASE + path,
        sent.encode() if isinstance(sent, str) else sent,
        content_type=content_type,
        headers={name: value for name, value in extra.items() if value},
        REMOTE_ADDR=address,
    )


def error_of(response: Any) -> dict[str, Any]:
    """The error of an answer, whose shape is checked."""
    body = response.json()
    assert list(body) == ["error"], body
    assert set(body["error"]) == {"code", "message", "fields"}
    assert body["error"]["message"]
    assert all(isinstance(texts, list) for texts in body["error"]["fields"].values())
    return body["error"]


@dataclass
class Page:
    """One tab of one browser on one brand's site."""

    brand: Brand
    origin: str
    tab: str = "tab-1"
    installation: dict[str, str] | None = None
    subscription: Subscription | None = None
    permission: str = "default"
    address: str = field(default_factory=lambda: f"10.0.{next(_hosts) // 250}.{next(_hosts) % 250}")

    @property
    def push(self) -> dict[str, Any]:
        status = {"default": "ask", "granted": "allowed", "denied": "blocked"}[self.permission]
        return {
            "status": status,
            "reason": "",
            "permission": self.permission,
            "subscription": subscription_body(self.subscription) if status == "allowed" else None,
        }

    def send(self, path: str, body: Any, **headers: Any) -> Any:
        headers = {"key": self.brand.public_key, "origin": self.origin, "address": self.address} | headers
        return post(path, body, **headers)

    def call(self, path: str, *, expect: int = 200, **body: Any) -> dict[str, Any]:
        """A call by this installation from this tab; the JSON of the answer."""
        body = {"installation": self.installation, "tab": self.tab} | body
        response = self.send(path, body)
        assert response.status_code == expect, response.content
        return response.json() if expect == 200 else error_of(response)

    def session(self, *, path: str = "session", expect: int = 200, **body: Any) -> dict[str, Any]:
        device = {"browser": "firefox", "browser_version": "153.0", "os": "linux", "language": "en-GB"}
        answer = self.call(
            path,
            expect=expect,
            **({"push": self.push, "device": device, "page": {"url": self.origin + "/"}} | body),
        )
        if expect == 200 and "secret" in answer["installation"]:
            self.installation = answer["installation"]
        return answer

    def allow(self) -> None:
        """The end user says yes to the browser."""
        self.subscription = new_subscription(self.brand.vapid_keys.get(active=True).public_key)
        self.permission = "granted"

    def beside(self, tab: str) -> "Page":
        """Another tab of the same browser."""
        return Page(self.brand, self.origin, tab, self.installation, self.subscription, self.permission, self.address)

    @property
    def device(self) -> Device:
        assert self.installation is not None
        return Device.objects.get(pk=row_number("device", self.installation["id"]))


def subscription_body(subscription: Subscription | None) -> dict[str, str] | None:
    if subscription is None:
        return None
    return {
        "endpoint": subscription.endpoint,
        "p256dh": b64(subscription.p256dh),
        "auth": b64(subscription.auth),
        "vapid_key": subscription.vapid_key,
    }


def event(name: str = "deposit", **fields: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "name": name, "properties": {}, "kind": "event"} | fields


def asking_campaign(brand: Brand, *, popup: PopupRevision | None = None) -> Campaign:
    """The ready flow, published: its own popup or the given one; on Allowed a welcome push."""
    now = datetime.now(UTC)
    campaign = campaign_make_ready(brand=brand, by=None, now=now)
    if popup is not None:
        for activity in campaign.flow["activities"]:
            if activity["kind"] == "popup":
                activity["settings"]["popup"] = popup.resource_id
        campaign.save(update_fields=["flow"])
    campaign_publish(campaign=campaign, by=None, now=now)
    return campaign


def report_body(**fields: Any) -> dict[str, Any]:
    """A report whose token we made, on a delivery that is not there."""
    now = datetime.now(UTC)
    token = report_token(1, now.date())
    return {"token": token, "kind": "displayed", "action": "", "at": now.isoformat()} | fields
