"""A brand with end users, devices and published campaigns, made straight in the database."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from campaigns.activities import registry
from campaigns.journey.compile import compile_flow, graph_of
from campaigns.journey.parse import VERSION, parse
from campaigns.models import Campaign, CampaignVersion, Enrolment
from campaigns.selectors.entries import Entry, entry_of
from campaigns.services.entry import Candidate, enrol
from campaigns.services.versions import version_write
from devices.models import App, Brand, Device, EndUser, PushStatus, VapidKey

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PUSH = {
    "kind": "push",
    "revision": 1,
    "default_language": "en",
    "ttl": 3600,
    "urgency": "high",
    "policy": "at_most_once",
    "variants": {"en": {"title": "Hello", "message": "There", "url": "https://shop.example/"}},
}
POPUP = {
    "kind": "popup",
    "template": "simple",
    "revision": 1,
    "default_language": "en",
    "primary": {"kind": "permission", "url": ""},
    "variants": {"en": {"title": "May we?"}},
}


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def popup(key: str, *, resource: Any = 1, timeout: int | None = 600, **branches: str | None) -> dict[str, Any]:
    return {"key": key, "kind": "popup", "settings": {"popup": resource, "timeout": timeout}, "next": branches}


def push(key: str, then: str | None = None, target: str = "all", *, resource: Any = 1) -> dict[str, Any]:
    settings = {"push": resource, "target_devices": target}
    return {"key": key, "kind": "push", "settings": settings, "next": {"*": then}}


def delay(key: str, seconds: int, then: str | None = None) -> dict[str, Any]:
    return {"key": key, "kind": "delay", "settings": {"seconds": seconds}, "next": {"*": then}}


def stop(key: str) -> dict[str, Any]:
    return {"key": key, "kind": "stop", "settings": {}, "next": {}}


def flow_of(*activities: dict[str, Any]) -> dict[str, Any]:
    return {"version": VERSION, "start": activities[0]["key"], "activities": list(activities)}


@dataclass
class World:
    brand: Brand
    app: App
    vapid: VapidKey
    made: int = 0

    def end_user(self, **fields: Any) -> EndUser:
        self.made += 1
        fields.setdefault("external_id", f"user-{self.made}")
        return EndUser.objects.create(brand=self.brand, **fields)

    def end_users(self, count: int) -> list[int]:
        people = EndUser.objects.bulk_create(
            [EndUser(brand=self.brand, external_id=f"many-{self.made}-{n}", bucket=n * 17 % 1000) for n in range(count)]
        )
        self.made += 1
        return [person.pk for person in people]

    def device(self, holder: EndUser, *, platform: str = "web", status: str = "allowed", live: bool = True) -> Device:
        self.made += 1
        device = Device.objects.create(
            brand=self.brand,
            app=self.app,
            session_end_user=holder,
            holder=holder,
            platform=platform,
            secret_hash="x",
            native_token="" if platform == "web" else f"fcm-{self.made}",
            endpoint=f"https://push.example/{self.made}",
            endpoint_origin="https://push.example",
            p256dh=b"p" * 65,
            auth=b"a" * 16,
            token_hash=f"token-{self.made}" if live else None,
            vapid_key=self.vapid,
            last_seen_at=NOW,
        )
        PushStatus.objects.create(
            brand=self.brand, end_user=holder, device=device, status=status, since=NOW, reported_at=NOW
        )
        return device

    def devices(self, holders: list[int]) -> None:
        devices = Device.objects.bulk_create(
            [
                Device(
                    brand=self.brand,
                    app=self.app,
                    session_end_user_id=holder,
                    holder_id=holder,
                    platform="web",
                    secret_hash="x",
                    endpoint="https://push.example/many",
                    endpoint_origin="https://push.example",
                    p256dh=b"p" * 65,
                    auth=b"a" * 16,
                    token_hash=f"many-{holder}",
                    vapid_key=self.vapid,
                    last_seen_at=NOW,
                )
                for holder in holders
            ]
        )
        PushStatus.objects.bulk_create(
            [
                PushStatus(
                    brand=self.brand,
                    end_user_id=device.holder_id,
                    device=device,
                    status="allowed",
                    since=NOW,
                    reported_at=NOW,
                )
                for device in devices
            ]
        )

    def campaign(self, flow: dict[str, Any], **fields: Any) -> Campaign:
        """An active campaign whose version has this flow, with stock content."""
        self.made += 1
        fields.setdefault("name", f"Journey {self.made}")
        rules = fields.pop("rules", None)
        campaign = Campaign.objects.create(brand=self.brand, flow=flow, **fields)
        version_of(campaign, rules=rules)
        return campaign

    def enter(self, campaign: Campaign, end_user: EndUser | int, key: str = "e1", now: datetime = NOW) -> list[int]:
        person = end_user if isinstance(end_user, int) else end_user.pk
        return enrol(entry=entry_for(campaign), candidates=[Candidate(person, key)], now=now)


def version_of(campaign: Campaign, rules: dict[str, Any] | None = None) -> CampaignVersion:
    flow = parse(campaign.flow, kinds=registry.kinds())
    assert not flow.problems
    steps = compile_flow(flow=flow)
    contents = {step.key: {"push": PUSH, "popup": POPUP}.get(step.kind, {}) for step in steps}
    return version_write(
        campaign=campaign,
        graph=graph_of(flow=flow, steps=steps),
        steps=steps,
        contents=contents,
        rules=rules,
        by=None,
        now=NOW,
    )


def entry_for(campaign: Campaign) -> Entry:
    campaign.refresh_from_db()
    return entry_of(version_id=campaign.current_version_id)


def state_of(enrolment_id: int) -> tuple[str, str]:
    enrolment = Enrolment.objects.get(pk=enrolment_id)
    return enrolment.state, enrolment.at_key


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
