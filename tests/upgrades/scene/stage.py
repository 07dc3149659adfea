"""What every part of the scene is given: the clock, the push service, staff, and brands with people."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import time_machine
from django.contrib.auth.models import User
from django.db import transaction

from assets.models import PopupRevision, PushRevision
from assets.services import (
    PopupDraft,
    PopupVariantDraft,
    PushDraft,
    PushVariantDraft,
    popup_resource_save,
    push_resource_save,
)
from campaigns.models import Campaign
from campaigns.services.publish import campaign_publish
from devices.lifecycle.brands import brand_create
from devices.models import Brand
from devices.people.services.events import EventInput
from devices.pushservice.server import LocalPushService
from smartpush.api.sdk.flows import events_take
from tests.campaigns.world import delay, flow_of, popup, push, stop
from tests.support.people import Browser
from tests.support.sending import Channel

__all__ = ["Channel", "Stage", "delay", "flow_of", "popup", "push", "stop"]


@dataclass
class Stage:
    """The scene as it is being made; the clock stands still, and is set by `at`."""

    clock: time_machine.Traveller
    service: LocalPushService
    made_at: datetime
    staff: dict[str, User] = field(default_factory=dict)
    _brands: int = 0

    @property
    def now(self) -> datetime:
        """The scene's time."""
        return datetime.now(UTC)

    def at(self, before: timedelta = timedelta(0)) -> datetime:
        """Set the clock to so long before the dump is made."""
        self.clock.move_to(self.made_at - before)
        return self.now

    def brand(self, name: str, *, time_zone: str = "Europe/Lisbon") -> Channel:
        """A brand with a website, and its way to send."""
        self._brands += 1
        brand = brand_create(name=name, origin=f"https://site-{self._brands}.example", time_zone=time_zone)
        return Channel(brand, self.service)

    def push_resource(self, brand: Brand, name: str, **fields: object) -> PushRevision:
        """A push resource with two revisions and two languages."""
        resource = None
        for title in ("Good day", "Good day, {{ user.first_name | default: 'reader' }}"):
            variants = (
                PushVariantDraft("en", title, "Four books came in.", click_url=f"{origin_of(brand)}/new"),
                PushVariantDraft("pt", "Bom dia", "Chegaram quatro livros."),
            )
            draft = PushDraft(variants=variants, **fields)
            revision = push_resource_save(
                brand=brand, name=name, draft=draft, by=self.staff["editor"], resource=resource
            )
            resource = revision.resource
        return revision

    def popup_resource(self, brand: Brand, name: str, **fields: object) -> PopupRevision:
        """A popup resource."""
        draft = PopupDraft(variants=(PopupVariantDraft("en", name, "It takes a click."),), **fields)
        return popup_resource_save(brand=brand, name=name, draft=draft, by=self.staff["editor"])

    def campaign(self, brand: Brand, name: str, *activities: dict, publish: bool = True, **fields: object) -> Campaign:
        """A campaign of these activities; published at the scene's time unless it is to stay a draft."""
        campaign = Campaign.objects.create(
            brand=brand, name=name, flow=flow_of(*activities), created_by=self.staff["editor"], **fields
        )
        if publish:
            campaign_publish(campaign=campaign, by=self.staff["publisher"], now=self.now)
        return campaign

    def visit(self, browser: Browser, external_id: str | None = None, *, event: str = "session") -> None:
        """A page load that reports an event, as the SDK's session call and event call do."""
        browser.now = self.now - timedelta(minutes=1)  # it goes on by a minute as it loads
        opened = browser.load(external_id)
        with transaction.atomic():
            events_take(
                brand=browser.brand,
                end_user_id=opened.end_user.pk,
                device_id=opened.device.pk,
                events=[EventInput(event, self.now, {"amount": 20})],
                now=self.now,
            )

    def visitors(self, brand: Brand, names: Sequence[str], *, event: str = "session") -> list[Browser]:
        """People at Ask who visit the site."""
        browsers = [Browser(brand) for _ in names]
        for browser, name in zip(browsers, names, strict=True):
            self.visit(browser, name, event=event)
        return browsers


def origin_of(brand: Brand) -> str:
    """The origin of the brand's website."""
    return brand.apps.get(kind="web").origin
