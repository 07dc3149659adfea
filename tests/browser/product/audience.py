"""A brand's end users, and a member of its staff at the back office."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page

from devices.models import App, Brand, BrandMembership, Device, EndUser, PushStatus, VapidKey
from devices.people.services.events import EventInput, event_record
from segments.models import ListEntry, Segment
from tests.browser.harness.chromium import Chromium

from .running import Product
from .shop import now
from .staff import log_in


@dataclass(frozen=True)
class Audience:
    """End users of one brand, made one at a time."""

    brand: Brand

    def person(
        self, name: str, *, markers: Sequence[str] = (), allowed: bool = False, deposits: Sequence[int] = ()
    ) -> EndUser:
        """Somebody with JS markers, with or without a device that allows push, who deposited these amounts."""
        at = now()
        person = EndUser.objects.create(brand=self.brand, external_id=name, js_markers=list(markers), language="en")
        device = Device.objects.create(
            brand=self.brand,
            app=App.objects.filter(brand=self.brand).first(),
            session_end_user=person,
            holder=person if allowed else None,
            secret_hash="s",
            platform="web",
            endpoint="https://push.example/x",
            p256dh=b"p",
            auth=b"a",
            vapid_key=VapidKey.objects.filter(brand=self.brand).first(),
            token_hash=f"{self.brand.pk}-{name}" if allowed else None,
            last_seen_at=at,
        )
        PushStatus.objects.create(
            brand=self.brand, end_user=person, device=device, status="allowed" if allowed else "blocked",
            since=at, reported_at=at,
        )  # fmt: skip
        events = [
            EventInput(name="deposit", properties={"amount": amount}, occurred_at=at - timedelta(hours=n + 1))
            for n, amount in enumerate(deposits)
        ]
        event_record(brand_id=self.brand.pk, end_user_id=person.pk, device_id=device.pk, events=events, now=at)
        return person

    def listed(self, name: str, people: Sequence[EndUser]) -> Segment:
        """An imported segment."""
        segment = Segment.objects.create(brand=self.brand, name=name, kind=Segment.Kind.IMPORTED)
        ListEntry.objects.bulk_create(ListEntry(segment=segment, end_user=person) for person in people)
        return segment


@dataclass(frozen=True)
class Desk:
    """A browser in which somebody of the brand's staff is logged in."""

    page: Page
    url: str

    def open(self, path: str) -> Page:
        """A page of the admin."""
        self.page.goto(f"{self.url}/admin/{path}")
        return self.page

    def rules(self) -> Any:
        """The rule that the form would send."""
        return json.loads(self.page.locator("[data-rules]").input_value())["rule"]

    def rule(self, number: int) -> Locator:
        """A rule by its place on the page, from 0."""
        return self.page.locator(".sb-rule").nth(number)

    def add_rule(self, field: str) -> Locator:
        """Add a rule at the end of the top group, about what is found by these words."""
        self.page.get_by_role("button", name="Add rule").last.click()
        self.page.keyboard.type(field)
        self.page.get_by_role("listbox").get_by_role("option").first.click()
        return self.page.locator(".sb-rule:focus-within")


def desk(chromium: Chromium, product: Product, brand: Brand, *, role: str = "editor") -> Desk:
    """Log a new member of the brand's staff in."""
    staff = User.objects.create_user(f"{role}-{brand.pk}", is_staff=True)
    BrandMembership.objects.create(brand=brand, user=staff, role=role)
    log_in(context=chromium.context, url=product.url, user=staff, brand=brand)
    return Desk(page=chromium.page, url=product.url)
