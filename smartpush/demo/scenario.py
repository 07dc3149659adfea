"""What `make demo` plays: the ready flow for 2,000 end users, then a scheduled push to a segment; and its report."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from django.conf import settings
from django.db import connection
from django.db.models import Count, Q

from assets.models import PopupResource, PushResource
from assets.services import PushDraft, PushVariantDraft, push_resource_save
from campaigns.journey.ready_flows import push_once
from campaigns.models import Campaign, Enrolment
from campaigns.services.publish import campaign_publish
from campaigns.services.ready import campaign_make_ready
from devices.lifecycle.brands import brand_create
from devices.models import Brand, Delivery, PopupOffer, VapidKey
from devices.people.services.categories import category_create, marker_suggest
from segments.models import Segment
from segments.services import segment_ready, segments_make_ready
from smartpush.common.time.clock import utc_now
from smartpush.demo.audience import SEGMENT, audience_make, audience_size, list_is_in
from smartpush.demo.phones import phones_app, phones_open
from smartpush.demo.residents import residents_answer, residents_arrive, residents_seed, residents_waiting
from smartpush.demo.visitors import Crowd, Plan, Shop

BRAND = "Harbour Books"
END_USERS = 2000
LIVE = 40
GONE = 12
SHAKY = 6
PHONES = 60
CATEGORIES = (("New books", "Once a week, on Monday."), ("Readings", "When an author comes to the harbour."))
_STEP_SECONDS = 60.0


class DemoFailed(Exception):
    """A step did not get there in time, or the numbers are not right."""


@dataclass(slots=True)
class Line:
    """One line of the report: what the server counts, and what it must be."""

    name: str
    value: int
    expected: int

    @property
    def right(self) -> bool:
        return self.value == self.expected


@dataclass(slots=True)
class Report:
    """The demo's figures."""

    lines: list[Line] = field(default_factory=list)
    failed: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def right(self) -> bool:
        return all(line.right for line in self.lines)


def wait_until(what: str, ready: Callable[[], bool], *, seconds: float = _STEP_SECONDS) -> None:
    """Look ten times a second; raises DemoFailed when the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise DemoFailed(f"{what}: not within {seconds:.0f} s. The processes' output is in var/run/demo.log.")
        time.sleep(0.1)


def answers(url: str) -> bool:
    """True when the address answers 200."""
    try:
        return requests.get(url, timeout=2).status_code == 200
    except requests.RequestException:
        return False


def last_run_forget() -> None:
    """Remove what the last demo wrote, so that the figures are this run's. Only the demo brand's rows."""
    brands = list(Brand.objects.filter(name=BRAND).values_list("pk", flat=True))
    if not brands:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM campaigns_steprun WHERE enrolment_id IN"
            " (SELECT id FROM campaigns_enrolment WHERE brand_id = ANY(%s))",
            [brands],
        )
        for table in ("campaigns_enrolment", "devices_event", "devices_delivery", "devices_popupoffer"):
            cursor.execute(f"DELETE FROM {table} WHERE brand_id = ANY(%s)", [brands])
        for table in ("devices_pushstatuschange", "devices_tokenholding", "campaigns_entryguard"):
            cursor.execute(
                f"DELETE FROM {table} WHERE end_user_id IN (SELECT id FROM devices_enduser WHERE brand_id = ANY(%s))",
                [brands],
            )
        for table in ("devices_deliverychunk", "devices_pushstatus", "devices_device", "devices_enduser"):
            cursor.execute(f"DELETE FROM {table} WHERE brand_id = ANY(%s)", [brands])
    # What protects its target is let go first; then the brands take everything with them.
    Campaign.objects.filter(brand__in=brands).update(
        state=Campaign.State.DRAFT, current_version=None, segment=None, trigger_segment=None
    )
    PushResource.objects.filter(brand__in=brands).update(current_revision=None)
    PopupResource.objects.filter(brand__in=brands).update(current_revision=None)
    Brand.objects.filter(pk__in=brands).delete()


class Scenario:
    """Seeds, runs and reports; every number in the report is read from the server's own records."""

    def __init__(self, *, say: Callable[[str], None]) -> None:
        self.began = time.monotonic()
        self._say = say
        self.plan = Plan()

    def say(self, text: str) -> None:
        """One line of progress, with the seconds since the start."""
        self._say(f"{time.monotonic() - self.began:5.1f} s  {text}")

    def run(self) -> Report:
        """The whole demo; raises DemoFailed."""
        wait_until("the local push service", lambda: answers(f"{settings.SMARTPUSH_LOCAL_PUSH_URL}/control/state"))
        requests.post(f"{settings.SMARTPUSH_LOCAL_PUSH_URL}/control/reset", json={}, timeout=10).raise_for_status()
        brand = self._brand()
        vapid_key = VapidKey.objects.get(brand=brand, active=True).public_key
        subscriptions = self._control("subscriptions", {"count": END_USERS, "application_server_key": vapid_key})
        welcome = self._welcome_campaign(brand)
        campaign_make_ready(brand=brand, by=None, now=utc_now(), with_categories=True)  # a draft to look at
        live, seeded = range(LIVE), range(LIVE, END_USERS)
        residents_seed(brand=brand, numbers=seeded, now=utc_now())
        marker = marker_suggest(CATEGORIES[0][0])
        readers = audience_make(brand=brand, numbers=seeded, marker=marker, now=utc_now())
        self.say(f"{END_USERS} end users, each with a browser subscribed to nothing yet.")
        wait_until("the web server", lambda: answers(f"{settings.SMARTPUSH_PUBLIC_URL}/readyz"))
        shop = Shop(
            host=settings.SMARTPUSH_PUBLIC_URL,
            brand_key=brand.public_key,
            origin=settings.SMARTPUSH_DEMO_SITE_URL,
            vapid_key=vapid_key,
        )
        crowd = Crowd(
            shop=shop, push_url=settings.SMARTPUSH_LOCAL_PUSH_URL, subscriptions=subscriptions, plan=self.plan
        )
        entered = residents_arrive(brand=brand, now=utc_now())
        asyncio.run(crowd.come(visitors=live))
        self.say(
            f"{LIVE} of them have visited the shop over HTTP, as browsers do; {entered} more have begun a session."
        )
        wait_until("popups for everyone", lambda: residents_waiting(brand=brand) >= entered)
        answered = residents_answer(
            brand=brand,
            subscriptions=subscriptions,
            numbers=seeded,
            origin=settings.SMARTPUSH_LOCAL_PUSH_URL,
            plan=self.plan,
            now=utc_now(),
        )
        expected = self.plan.expected(END_USERS)
        if crowd.told.errors:
            raise DemoFailed(f"The visitors were refused: {dict(crowd.told.errors)}")
        self.say(f"{sum(answered.values()) + crowd.told.popups} popups answered; welcome pushes are on their way.")
        asyncio.run(crowd.show(expected=expected["allowed"], seconds=_STEP_SECONDS))
        phones = self._phones(brand)
        self._trouble(subscriptions)
        letter = self._letter_campaign(brand)
        self.say("A push to the segment Push enabled is scheduled for now; some tokens are dead, some services shaky.")
        wait_until("the scheduled campaign", lambda: self._executed(letter))
        asyncio.run(crowd.show(expected=expected["allowed"] - GONE + phones, seconds=_STEP_SECONDS))
        wait_until("every delivery in a final state", lambda: self._open(brand) == 0)
        wait_until("the imported list", lambda: list_is_in(brand=brand))
        self.say(f"Audience > Segments has “{SEGMENT}”: {audience_size(segment=readers, now=utc_now())} end users now.")
        report = self._report(brand, welcome, letter, crowd, expected)
        report.seconds = time.monotonic() - self.began
        return report

    def _phones(self, brand: Brand) -> int:
        """Some who said no to their browser have the app; returns how many."""
        numbers = [n for n in range(LIVE, END_USERS) if self.plan.answer(n) == "blocked"][:PHONES]
        tokens = self._control("fcm-tokens", {"count": len(numbers)})["tokens"]
        opened = phones_open(app=phones_app(brand=brand), tokens=tokens, numbers=numbers)
        if opened != len(numbers):
            raise DemoFailed(f"Only {opened} of {len(numbers)} phones were let in.")
        self.say(f"{opened} who blocked their browser have opened the shop's iOS app, where notifications are on.")
        return opened

    def _control(self, path: str, body: dict[str, Any]) -> Any:
        answer = requests.post(f"{settings.SMARTPUSH_LOCAL_PUSH_URL}/control/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def _brand(self) -> Brand:
        last_run_forget()
        brand = brand_create(name=BRAND, origin=settings.SMARTPUSH_DEMO_SITE_URL, time_zone="Europe/Lisbon")
        brand.session_minutes = 0  # whoever tries the shop by hand gets a new session with each page load
        brand.save(update_fields=["session_minutes"])
        for name, description in CATEGORIES:
            category_create(brand=brand, name=name, description=description)
        segments_make_ready(brand=brand)
        return brand

    def _welcome_campaign(self, brand: Brand) -> Campaign:
        campaign = campaign_make_ready(brand=brand, by=None, now=utc_now())
        campaign.entry_mode = Campaign.EntryMode.ONCE_WHILE_OPEN
        campaign.entry_interval = 60
        campaign.save(update_fields=["entry_mode", "entry_interval"])
        campaign_publish(campaign=campaign, by=None, now=utc_now())
        return campaign

    def _letter_campaign(self, brand: Brand) -> Campaign:
        now = utc_now()
        letter = PushVariantDraft(
            language="en",
            title="New this week, {{ user.first_name | default: 'reader' }}",
            message="Four books came in on Monday's boat. The Lamp Room is the one we argue about.",
            click_url=f"{settings.SMARTPUSH_DEMO_SITE_URL}/books/new",
        )
        revision = push_resource_save(
            brand=brand,
            name="Weekly letter",
            draft=PushDraft(variants=(letter,), default_language="en", category=marker_suggest(CATEGORIES[0][0])),
        )
        campaign = Campaign.objects.create(
            brand=brand,
            name="Weekly letter",
            kind=Campaign.Kind.SCHEDULED,
            scheduled_at=now,
            segment=segment_ready(brand=brand, key=Segment.Ready.PUSH_ENABLED),
            flow=push_once(push_id=revision.resource_id),
        )
        campaign_publish(campaign=campaign, by=None, now=now)
        return campaign

    def _trouble(self, subscriptions: list[dict[str, str]]) -> None:
        """Some tokens die; some fail once with a server error and take the next try."""
        allowed = [n for n in range(END_USERS) if self.plan.answer(n) == "allowed"]
        for number in allowed[:GONE]:
            self._control("failures", {"token": subscriptions[number]["token"], "mode": "410"})
        for number in allowed[GONE : GONE + SHAKY]:
            self._control("failures", {"token": subscriptions[number]["token"], "mode": "500", "times": 1})

    def _executed(self, campaign: Campaign) -> bool:
        return Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.EXECUTED).exists()

    def _open(self, brand: Brand) -> int:
        open_states = [Delivery.State.READY, Delivery.State.SENDING]
        return Delivery.objects.filter(brand=brand, state__in=open_states).count()

    def _report(
        self, brand: Brand, welcome: Campaign, letter: Campaign, crowd: Crowd, expected: Counter[str]
    ) -> Report:
        offers = PopupOffer.objects.filter(brand=brand).aggregate(
            made=Count("pk"), asked=Count("asked_at"), allowed=Count("pk", filter=Q(state="allowed"))
        )
        sent = Delivery.objects.filter(brand=brand).aggregate(
            accepted=Count("pk", filter=Q(state="accepted")),
            native=Count("pk", filter=Q(state="accepted", origin__startswith="fcm:")),
            displayed=Count("displayed_at"),
            clicked=Count("clicked_at"),
        )
        entered = {campaign.pk: Enrolment.objects.filter(campaign=campaign).count() for campaign in (welcome, letter)}
        failed = (
            Delivery.objects.filter(brand=brand)
            .exclude(state=Delivery.State.ACCEPTED)
            .values_list("state", "reason")
            .annotate(count=Count("pk"))
        )
        allowed = expected["allowed"]
        asked = allowed + expected["blocked"] + expected["dismissed"]
        return Report(
            lines=[
                Line("entered: Ask for push permission", entered[welcome.pk], END_USERS),
                Line("popups", offers["made"], END_USERS),
                Line("asked by the browser", offers["asked"], asked),
                Line("allowed", offers["allowed"], allowed),
                Line("entered: Weekly letter", entered[letter.pk], allowed + PHONES),
                Line("accepted by the web push service", sent["accepted"] - sent["native"], 2 * allowed - GONE),
                Line("accepted by FCM for the app", sent["native"], PHONES),
                Line("displayed", sent["displayed"], crowd.told.displayed),
                Line("clicked", sent["clicked"], crowd.told.clicked),
                Line("failed", sum(row[2] for row in failed), GONE),
            ],
            failed={f"{state} ({reason})": count for state, reason, count in failed},
        )
