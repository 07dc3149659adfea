"""A scheduled push to many, and what must be true of it at the end whatever happened on its way."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db import OperationalError, connection
from django.db.models import Count

from assets.services import PushDraft, PushVariantDraft, push_resource_save
from campaigns.journey.ready_flows import push_once
from campaigns.models import Campaign
from campaigns.selectors.audit import Finding, audit
from campaigns.services.publish import campaign_publish
from devices.delivery.transports.endpoints import check_keys
from devices.installations.tokens import token_hash
from devices.models import Brand, Delivery, Device, PushStatus, Status, TokenHolding
from devices.pushservice.server import LocalPushService
from segments.models import Segment
from segments.services import segments_make_ready
from smartpush.demo.residents import residents_seed
from tests.browser.harness.waiting import wait_until
from tests.browser.product.running import Product

SUBSCRIBERS = 600
# What takes seconds here takes this long where every core is wanted by many.
SETTLED_SECONDS = 120.0


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Letter:
    """One brand's push to its subscribers, sent by the running product."""

    product: Product
    service: LocalPushService
    brand: Brand
    origin: str
    tokens: list[str] = field(default_factory=list)
    campaign: Campaign | None = None

    def post(self, *, policy: str = "at_least_once", pace: float = 0.1) -> None:
        """Subscribe everybody and let the campaign start; each message takes the push service `pace` seconds."""
        self._subscribe()
        self.service.fail("slow", delay=pace)
        draft = PushVariantDraft(
            language="en", title="New this week", message="Four books.", click_url=f"{self.origin}/books/new"
        )
        revision = push_resource_save(
            brand=self.brand,
            name="Weekly letter",
            draft=PushDraft(variants=(draft,), default_language="en", policy=policy),
        )
        segments_make_ready(brand=self.brand)
        self.campaign = Campaign.objects.create(
            brand=self.brand,
            name="Weekly letter",
            kind=Campaign.Kind.SCHEDULED,
            scheduled_at=now(),
            segment=Segment.objects.get(brand=self.brand, name="Push enabled"),
            flow=push_once(push_id=revision.resource_id),
        )
        campaign_publish(campaign=self.campaign, by=None, now=now())

    def _subscribe(self) -> None:
        key = self.brand.vapid_keys.get(active=True)
        residents_seed(brand=self.brand, numbers=range(SUBSCRIBERS), now=now())
        devices = list(Device.objects.filter(brand=self.brand).order_by("pk"))
        made = self.service.subscriptions(SUBSCRIBERS, key.public_key)
        for device, one in zip(devices, made, strict=True):
            device.endpoint, device.endpoint_origin = one["endpoint"], self.service.url
            device.token_hash, device.token_at, device.vapid_key = token_hash(one["endpoint"]), now(), key
            device.p256dh, device.auth = check_keys(one["p256dh"], one["auth"])
        fields = ["endpoint", "endpoint_origin", "token_hash", "token_at", "vapid_key", "p256dh", "auth"]
        Device.objects.bulk_update(devices, fields)
        TokenHolding.objects.bulk_create(
            TokenHolding(device=one, end_user_id=one.holder_id, token_hash=one.token_hash, since=now())
            for one in devices
        )
        PushStatus.objects.filter(brand=self.brand).update(status=Status.ALLOWED)
        self.tokens = [one["token"] for one in made]

    def received(self, tokens: Collection[str]) -> dict[str, list[str]]:
        """The topics of the messages that the push service took for each of these subscribers, in their order."""
        taken: dict[str, list[str]] = defaultdict(list)
        for message in self.service.messages(limit=5000):
            if message["token"] in tokens:
                taken[message["token"]].append(message["topic"])
        return taken

    def wait_received(self, count: int) -> None:
        """Until the push service has taken this many of the letter's messages."""
        wait_until(
            lambda: self.service.state()["accepted"]["webpush"] >= count,
            timeout=SETTLED_SECONDS,
            what=f"{count} messages taken",
            detail=self.product.describe,
        )

    def hurry(self) -> None:
        """Let the push service be as quick as it can."""
        self.service.clear_failures()

    def settle(self) -> None:
        """Wait until nothing is under way and the audit is clean; the command says so too."""
        self._wait_executed()
        wait_until(lambda: self._findings() == [], timeout=SETTLED_SECONDS, what="a clean audit", detail=self._open)
        code, said = self.product.call("audit", "--settled")
        assert code == 0, said

    def _wait_executed(self) -> None:
        def executed() -> bool:
            try:
                return Campaign.objects.filter(pk=self.campaign.pk, state=Campaign.State.EXECUTED).exists()
            except OperationalError:
                connection.close()
                return False

        wait_until(executed, timeout=SETTLED_SECONDS, what="the launch", detail=self.product.describe)

    def _findings(self) -> list[Finding] | None:
        try:
            return [finding for finding in audit(now=now(), settled=True) if finding.count]
        except OperationalError:  # the server that was killed
            connection.close()
            return None

    def _open(self) -> str:
        return f"{self._findings()} {self.states()}\n{self.product.describe()}"

    def states(self) -> Counter[str]:
        """How many of the brand's deliveries are in which state."""
        rows = Delivery.objects.filter(brand=self.brand).values_list("state").annotate(count=Count("pk"))
        return Counter(dict(rows))

    def tries(self) -> dict[str, tuple[str, int]]:
        """The final state and the number of tries of each subscriber's one delivery, by token."""
        hashes = dict(Device.objects.filter(brand=self.brand).values_list("pk", "endpoint"))
        rows = Delivery.objects.filter(brand=self.brand).values_list("device_id", "state", "tries")
        return {hashes[device].rsplit("/", 1)[1]: (state, tries) for device, state, tries in rows}

    def everybody_got_it(self) -> int:
        """Assert that nobody was left out and that repetitions carry the same Topic; returns how many there were."""
        taken, ended = self.received(set(self.tokens)), self.tries()
        assert self.states() == {"accepted": SUBSCRIBERS}
        assert set(taken) == set(self.tokens) == set(ended)
        for token, topics in taken.items():
            assert len(set(topics)) == 1, f"{token} was sent two different messages"
            assert ended[token][1] >= len(topics), f"{token}: more messages than tries"
        return sum(len(topics) - 1 for topics in taken.values())

    def nobody_got_it_twice(self) -> int:
        """Assert that nobody was sent it twice and that the rest is owned up to; returns how many are unknown."""
        taken, ended = self.received(set(self.tokens)), self.tries()
        assert set(ended) == set(self.tokens)
        assert all(len(topics) == 1 for topics in taken.values())
        for token, (state, tries) in ended.items():
            assert state in ("accepted", "unknown") and tries == 1
            assert token in taken or state == "unknown", f"{token} counts as accepted and was sent nothing"
        return self.states()["unknown"]
