"""*Never contact* wins over everything, operational messages included; popups too."""

import pytest

from devices.delivery.services.dispatches import DispatchSpec, dispatches_ensure
from devices.lifecycle.never_contact import never_contact_set
from devices.lifecycle.preferences import opt_out_set
from devices.models import ConsentRecord, Delivery, EndUser, PopupOffer
from devices.popups.offers import offer_lease, offer_withdrawn


def mark(channel, *people, on=True):
    return never_contact_set(
        brand_id=channel.brand.pk, end_user_ids=[one.device.holder_id for one in people], on=on, by="staff",
        now=channel.now,
    )  # fmt: skip


@pytest.mark.parametrize("purpose", ["marketing", "operational"])
@pytest.mark.parametrize("brand_says_so", [False, True])
def test_no_message_of_any_purpose_is_even_written_for_who_is_marked(channel, purpose, brand_says_so):
    ann = channel.subscriber("ann")
    mark(channel, ann)
    channel.brand.operational_ignores_opt_out = brand_says_so
    channel.brand.save()
    assert channel.add(channel.dispatch(purpose=purpose), ann) == []


@pytest.mark.parametrize("purpose", ["marketing", "operational"])
def test_the_gate_cancels_what_was_written_while_the_mark_was_being_set(channel, purpose):
    """A step of a journey may write in the same moment: only the gate sees every message."""
    ann, bob = channel.subscriber("ann"), channel.subscriber("bob")
    channel.brand.operational_ignores_opt_out = True
    channel.brand.save()
    dispatch = channel.dispatch(purpose=purpose)
    for one in (ann, bob):
        channel.add(dispatch, one, request=f"late:{one.device.pk}")
    EndUser.objects.filter(pk=ann.device.holder_id).update(never_contact=True)
    channel.send_due()
    ends = dict(Delivery.objects.values_list("end_user__external_id", "state"))
    assert ends == {"ann": "cancelled", "bob": "accepted"}
    assert Delivery.objects.get(end_user__external_id="ann").reason == "never_contact"
    assert (len(channel.received("ann")), len(channel.received("bob"))) == (0, 1)


def test_the_mark_cancels_what_waits_and_is_kept_as_proof_where_it_changes(channel):
    ann, bob = channel.subscriber("ann"), channel.subscriber("bob")
    dispatch = channel.dispatch()
    for one in (ann, bob):
        channel.add(dispatch, one, request=f"waits:{one.device.pk}")
    assert mark(channel, ann) == [ann.device.holder_id]
    assert mark(channel, ann) == []
    assert dict(Delivery.objects.values_list("end_user__external_id", "reason")) == {"ann": "never_contact", "bob": ""}
    assert mark(channel, ann, on=False) == [ann.device.holder_id]
    told = ConsentRecord.objects.filter(subject="never_contact").order_by("pk")
    assert [(one.answer, one.by) for one in told] == [("set", "staff"), ("lifted", "staff")]
    assert channel.push(ann, request="again").state == "accepted"


def test_people_of_another_brand_are_not_marked(channel):
    ann = channel.subscriber("ann")
    assert never_contact_set(
        brand_id=channel.brand.pk + 1, end_user_ids=[ann.device.holder_id], on=True, by="platform", now=channel.now
    ) == []  # fmt: skip
    assert not EndUser.objects.filter(never_contact=True).exists()


class Popups:
    """One popup before one visitor."""

    def __init__(self, channel, *, purpose: str, kind: str) -> None:
        self.channel, self.browser = channel, channel.subscriber("ann")
        self.person = self.browser.device.holder_id
        if kind == "permission":
            self.browser.permission, self.browser.subscription = "default", None
            self.browser.report()
        content = {"kind": "popup", "primary": {"kind": kind, "url": ""}}
        spec = DispatchSpec(
            brand_id=channel.brand.pk, day=channel.now.date(), source="journey", source_key=f"{purpose}:{kind}",
            content=content, purpose=purpose,
        )  # fmt: skip
        (self.dispatch,) = dispatches_ensure(specs=[spec], now=channel.now).values()
        self.offer()

    def offer(self) -> None:
        self.offered = PopupOffer.objects.create(
            brand=self.channel.brand, dispatch_id=self.dispatch, end_user_id=self.person, created_at=self.channel.now,
            expires_at=self.channel.now.replace(year=self.channel.now.year + 1),
        )  # fmt: skip

    def lease(self):
        return offer_lease(end_user_id=self.person, device=self.browser.device, tab="tab", now=self.channel.now)

    def say(self, word: str) -> None:
        if word == "never_contact":
            mark(self.channel, self.browser)
        else:
            opt_out_set(
                end_user_id=self.person, opted_out=True, by="platform" if word == "platform_opt_out" else "end_user",
                now=self.channel.now,
            )  # fmt: skip


WORDS = ["user_opt_out", "platform_opt_out", "never_contact"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("kind", ["permission", "url", "click"])
@pytest.mark.parametrize(
    ("purpose", "brand_says_so"), [("marketing", True), ("operational", False), ("operational", True)]
)
@pytest.mark.parametrize("state", ["pending", "leased", "shown"])
def test_an_opt_out_ends_the_popup_in_every_state_and_none_is_leased_after_it(
    channel, word, kind, purpose, brand_says_so, state
):
    channel.brand.operational_ignores_opt_out = brand_says_so
    channel.brand.save()
    popups = Popups(channel, purpose=purpose, kind=kind)
    if state != "pending":
        assert popups.lease() is not None
        PopupOffer.objects.update(state=state)
    passes = purpose == "operational" and brand_says_so and kind != "permission" and word != "never_contact"
    popups.say(word)
    popups.offered.refresh_from_db()
    assert popups.offered.state == (state if passes else "cancelled")
    assert offer_withdrawn(offer_id=popups.offered.pk, end_user_id=popups.person) is not passes
    # And one that comes later.
    PopupOffer.objects.all().delete()
    popups.offer()
    assert (popups.lease() is not None) is passes


def test_opting_in_again_brings_new_popups_and_no_old_one(channel):
    popups = Popups(channel, purpose="marketing", kind="click")
    popups.say("user_opt_out")
    opt_out_set(end_user_id=popups.person, opted_out=False, by="end_user", now=channel.now)
    assert popups.lease() is None
    popups.offer()
    assert popups.lease() is not None
