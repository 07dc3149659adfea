"""What a marketer of the shop does, and what the back office then says about its visitors."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from assets.models import PushRevision
from assets.services import ButtonDraft, PushDraft, PushVariantDraft, push_resource_save
from assets.services.sending import push_test_send
from campaigns.models import Campaign, EntryGuard
from campaigns.selectors.counts import CampaignCounts, campaign_counts
from campaigns.services.publish import campaign_publish
from campaigns.services.ready import campaign_make_ready
from devices.models import Brand, Delivery, Device, EndUser, Event, PopupOffer, PushStatus

WELCOME = "Welcome, {{ user.first_name | default: 'there' }}!"
LANDING = "/books/welcome"
CARD, PRIMARY, LATER = (f"smartpush-popup >>> .{name}" for name in ("card", "primary", "later"))
# What the product does in a second takes this long where its processes share the machine with many others.
SOON = 60.0


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Shop:
    """A brand with its website."""

    brand: Brand
    origin: str

    def url(self, path: str = "/") -> str:
        """A page of the shop."""
        return self.origin + path

    def push(self, name: str, **fields: object) -> PushRevision:
        """A push resource as a marketer saves it."""
        draft = {"language": "en", "title": name, "message": "From the shop.", "click_url": self.url(LANDING)}
        buttons = tuple(ButtonDraft(title, self.url(path)) for title, path in fields.pop("buttons", ()))
        variant = PushVariantDraft(**{**draft, **fields}, buttons=buttons)
        return push_resource_save(brand=self.brand, name=name, draft=PushDraft(variants=(variant,)))

    def ready_flow(self, *, with_categories: bool = False) -> Campaign:
        """*Ask for permission*, made and published; its welcome push leads to a page of its own."""
        campaign = campaign_make_ready(brand=self.brand, by=None, now=now(), with_categories=with_categories)
        welcome = self.push("Welcome of the shop", title=WELCOME)
        for activity in campaign.flow["activities"]:
            if activity["kind"] == "push":
                activity["settings"]["push"] = welcome.resource_id
        campaign.save(update_fields=["flow"])
        campaign_publish(campaign=campaign, by=None, now=now())
        return campaign

    def interval_passes(self, campaign: Campaign) -> None:
        """Let the last entries into the campaign be longer ago than its entry interval."""
        before = now() - timedelta(seconds=campaign.entry_interval + 60)
        assert EntryGuard.objects.filter(campaign=campaign).update(last_entered_at=before)

    def send_test(self, revision: PushRevision, end_user: EndUser) -> Delivery:
        """*Send test* to the one device of an end user."""
        marketer = get_user_model()(username="marketer")
        (made,) = push_test_send(revision=revision, end_user=end_user, by=marketer, now=now())
        return Delivery.objects.get(pk=made)

    def campaign(self) -> Campaign:
        """The one campaign that there is."""
        return Campaign.objects.get(brand=self.brand)

    def devices(self) -> QuerySet[Device]:
        """Every device that has visited."""
        return Device.objects.filter(brand=self.brand)

    def sessions(self) -> int:
        """How many sessions were recorded."""
        return Event.objects.filter(brand=self.brand, name="session").count()

    @property
    def device(self) -> Device:
        """The one device that has visited."""
        return self.devices().get()

    @property
    def visitor(self) -> EndUser:
        """Whose session it is on the one device."""
        return self.device.session_end_user

    def user(self, external_id: str) -> EndUser:
        """An end user by the shop's own id."""
        return EndUser.objects.get(brand=self.brand, external_id=external_id)

    def status(self, end_user: EndUser) -> str:
        """The state of the end user's pair with the one device."""
        return PushStatus.objects.get(end_user=end_user, device__brand=self.brand).status

    def offers(self) -> list[PopupOffer]:
        """Every popup so far, oldest first."""
        return list(PopupOffer.objects.filter(brand=self.brand).order_by("pk"))

    def deliveries(self) -> list[Delivery]:
        """Every message so far, oldest first (each process takes its numbers from a stock of its own)."""
        return list(Delivery.objects.filter(brand=self.brand).order_by("created_at", "pk"))

    def counts(self, campaign: Campaign) -> CampaignCounts:
        """What the campaign's page shows."""
        return campaign_counts(campaign=campaign)
