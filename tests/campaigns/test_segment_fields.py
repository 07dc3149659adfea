"""What segments ask of pushes, popups and campaigns: as a set over everybody and one by one."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from campaigns.models import Campaign, Enrolment
from devices.models import App, Brand, Delivery, Device, Dispatch, EndUser, PopupOffer, PushCategory, VapidKey
from segments import fields
from segments.rules import parse_rules
from segments.selectors.audiences import audience_ids, context_for, segment_queryset
from tests.campaigns.world import NOW, World, flow_of, push

DAY = timedelta(days=1)


def asked(world: World, rule: dict[str, Any], *, now: datetime = NOW) -> set[str]:
    """Who matches, by external id; both forms must agree."""
    rules = parse_rules({"version": 1, "rule": rule})
    context = context_for(rules=rules, brand_id=world.brand.pk, now=now)
    found = segment_queryset(rules=rules, context=context)
    everybody = list(EndUser.objects.values_list("pk", flat=True))
    assert audience_ids(rules=rules, context=context, end_user_ids=everybody) == {row.pk for row in found}
    return {str(row.external_id) for row in found}


def condition(name: str, operator: str = "happened", value: Any = None, **params: Any) -> dict[str, Any]:
    return {"field": name, "params": params, "operator": operator, "value": value}


def within(days: int, zone: str = "brand") -> dict[str, Any]:
    return {"operator": "in_the_last", "value": {"count": days, "unit": "day", "zone": zone}}


class Ledger:
    """Dispatches, deliveries, offers and runs, written straight into their tables."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.made = 0

    def dispatch(self, campaign: int | None = None, **content: Any) -> Dispatch:
        self.made += 1
        return Dispatch.objects.create(
            brand=self.world.brand,
            day=NOW.date(),
            source="journey",
            source_key=f"key-{self.made}",
            campaign_ref=campaign,
            content=content,
        )

    def push(
        self,
        to: EndUser,
        dispatch: Dispatch,
        *,
        state: str = "accepted",
        sent: datetime = NOW - 2 * DAY,
        run: int | None = None,
        device: Device | None = None,
        **marks: datetime,
    ) -> None:
        self.made += 1
        Delivery.objects.create(
            day=dispatch.day,
            brand=self.world.brand,
            dispatch=dispatch,
            end_user=to,
            device=device or self.world.device(to),
            enrolment_id=run or self.made,
            step_seq=0,
            origin="https://push.example",
            state=state,
            reason="" if state == "accepted" else "refused",
            next_attempt_at=sent,
            expires_at=sent + DAY,
            created_at=sent,
            sent_at=sent,
            finished_at=sent,
            **{f"{name}_at": at for name, at in marks.items()},
        )

    def popup(self, to: EndUser, dispatch: Dispatch, state: str, *, at: datetime = NOW - 2 * DAY) -> None:
        ended = state not in ("pending", "leased", "shown")
        PopupOffer.objects.create(
            brand=self.world.brand,
            dispatch=dispatch,
            end_user=to,
            state=state,
            created_at=at,
            expires_at=at + DAY,
            shown_at=None if state in ("pending", "leased", "expired") else at,
            finished_at=at if ended else None,
        )

    def run(
        self, who: EndUser, campaign: Campaign, state: str, *, entered: datetime, finished: datetime | None
    ) -> None:
        self.made += 1
        Enrolment.objects.create(
            day=entered.date(),
            brand_id=self.world.brand.pk,
            campaign=campaign,
            version=campaign.current_version,
            end_user=who,
            entry_key=f"e{self.made}",
            state=state,
            at_key="a",
            at_kind="push",
            entered_at=entered,
            finished_at=finished,
        )


@pytest.fixture
def ledger(world: World) -> Ledger:
    return Ledger(world)


@pytest.fixture
def people(world: World) -> list[EndUser]:
    return [world.end_user(external_id=name) for name in ("ann", "bob", "cy", "dan")]


def test_a_push_has_the_outcome_that_its_ledger_has(world, ledger, people):
    ann, bob, cy, _ = people
    sent = ledger.dispatch()
    ledger.push(ann, sent, displayed=NOW, clicked=NOW)
    ledger.push(bob, sent, displayed=NOW)
    ledger.push(cy, sent, state="gone")
    assert asked(world, condition("push", outcome="received")) == {"ann", "bob"}
    assert asked(world, condition("push", outcome="displayed")) == {"ann", "bob"}
    assert asked(world, condition("push", outcome="clicked")) == {"ann"}
    assert asked(world, condition("push", outcome="ignored")) == {"bob"}
    assert asked(world, condition("push", outcome="failed")) == {"cy"}
    assert asked(world, condition("push", "never", outcome="received")) == {"cy", "dan"}


def test_a_push_is_ignored_only_after_a_day_and_if_no_device_clicked_it(world, ledger, people):
    ann, bob, cy, _ = people
    sent = ledger.dispatch()
    ledger.push(ann, sent, sent=NOW - DAY + timedelta(seconds=1))
    ledger.push(bob, sent, sent=NOW - DAY)
    ledger.push(cy, sent, clicked=NOW)
    assert asked(world, condition("push", outcome="ignored")) == {"bob"}
    assert asked(world, condition("push", outcome="ignored"), now=NOW + DAY) == {"ann", "bob"}


def test_a_message_on_two_devices_is_one_message(world, ledger, people):
    ann, bob, *_ = people
    sent = ledger.dispatch()
    for person, count in ((ann, 1), (bob, 2)):
        for run in range(count):
            for _ in range(2):  # devices
                ledger.push(person, sent, run=person.pk * 10 + run)
    two = Delivery.objects.filter(end_user=ann).order_by("pk").first()
    assert two is not None
    assert asked(world, condition("push", "at_least", 2, outcome="received")) == {"bob"}
    assert asked(world, condition("push", "at_most", 1, outcome="received")) == {"ann", "cy", "dan"}
    assert asked(world, condition("push", outcome="ignored")) == {"ann", "bob"}
    two.clicked_at = NOW
    two.save()
    assert asked(world, condition("push", outcome="ignored")) == {"bob"}


def test_pushes_of_one_campaign_of_a_category_and_within_a_time(world, ledger, people):
    ann, bob, cy, dan = people
    one, other = (world.campaign(flow_of(push("a"))) for _ in range(2))
    ledger.push(ann, ledger.dispatch(one.pk, category="NEWS"), sent=NOW - 9 * DAY)
    ledger.push(bob, ledger.dispatch(other.pk, category="NEWS"))
    ledger.push(cy, ledger.dispatch(one.pk))
    ledger.push(dan, ledger.dispatch())
    assert asked(world, condition("push", outcome="received", campaign=one.pk)) == {"ann", "cy"}
    assert asked(world, condition("push", outcome="received", category="NEWS")) == {"ann", "bob"}
    assert asked(world, condition("push", outcome="received", campaign=one.pk, category="NEWS")) == {"ann"}
    for zone in ("brand", "user"):
        recent = condition("push", outcome="received", campaign=one.pk, within=within(7, zone))
        assert asked(world, recent) == {"cy"}
        assert asked(world, {"not": recent}) == {"ann", "bob", "dan"}


def test_popups_by_outcome_campaign_and_time(world, ledger, people):
    ann, bob, cy, dan = people
    campaign = world.campaign(flow_of(push("a")))
    shown = ledger.dispatch(campaign.pk)
    ledger.popup(ann, shown, "later")
    ledger.popup(ann, shown, "later", at=NOW - 9 * DAY)
    ledger.popup(bob, ledger.dispatch(), "later", at=NOW - 9 * DAY)
    ledger.popup(cy, shown, "no_answer")
    ledger.popup(dan, shown, "pending")
    assert asked(world, condition("popup", outcome="shown")) == {"ann", "bob", "cy"}
    assert asked(world, condition("popup", outcome="no_answer")) == {"cy"}
    assert asked(world, condition("popup", outcome="later")) == {"ann", "bob"}
    assert asked(world, condition("popup", "at_least", 2, outcome="later")) == {"ann"}
    assert asked(world, condition("popup", outcome="later", campaign=campaign.pk)) == {"ann"}
    assert asked(world, condition("popup", outcome="later", within=within(7))) == {"ann"}


@pytest.mark.parametrize(
    ("answers", "last"),
    [
        (["later"], "later"),
        (["later", "allowed"], "allowed"),
        (["allowed", "later"], "later"),
        (["later", "no_answer"], "later"),  # silence is no answer
        (["later", "shown"], "later"),
        (["no_answer", "expired"], None),
        ([], None),
    ],
)
def test_the_last_answer_to_a_permission_popup(world, ledger, people, answers, last):
    asks, promotes = ledger.dispatch(primary={"kind": "permission"}), ledger.dispatch(primary={"kind": "click"})
    for number, state in enumerate(answers):
        ledger.popup(people[0], asks, state, at=NOW - 9 * DAY + number * DAY)
    ledger.popup(people[0], promotes, "closed", at=NOW - DAY)  # closing a promotion says nothing about permission
    for outcome in ("allowed", "later", "closed", "blocked"):
        expected = {"ann"} if outcome == last else set()
        assert asked(world, condition("popup_last_answer", "is", outcome)) == expected
    several = condition("popup_last_answer", "is_none_of", ["later", "allowed"])
    assert asked(world, several) == {"bob", "cy", "dan"} | ({"ann"} if last is None else set())


def test_two_answers_of_the_same_instant_are_ordered(world, ledger, people):
    asks = ledger.dispatch(primary={"kind": "permission"})
    for state in ("allowed", "later"):
        ledger.popup(people[0], asks, state)
    assert asked(world, condition("popup_last_answer", "is", "later")) == {"ann"}
    assert asked(world, condition("popup_last_answer", "is", "allowed")) == set()


def test_campaign_membership(world, ledger, people):
    ann, bob, cy, _ = people
    one, other = (world.campaign(flow_of(push("a"))) for _ in range(2))
    ledger.run(ann, one, "active", entered=NOW - DAY, finished=None)
    ledger.run(bob, one, "done", entered=NOW - 9 * DAY, finished=NOW - DAY)
    ledger.run(bob, one, "done", entered=NOW - 8 * DAY, finished=NOW - DAY)
    ledger.run(cy, other, "exited", entered=NOW - 9 * DAY, finished=NOW - 8 * DAY)
    assert asked(world, condition("campaign", outcome="entered")) == {"ann", "bob", "cy"}
    assert asked(world, condition("campaign", outcome="entered", campaign=one.pk)) == {"ann", "bob"}
    assert asked(world, condition("campaign", "at_least", 2, outcome="entered", campaign=one.pk)) == {"bob"}
    assert asked(world, condition("campaign", outcome="entered", within=within(7))) == {"ann"}
    assert asked(world, condition("campaign", outcome="inside")) == {"ann"}
    assert asked(world, condition("campaign", "never", outcome="inside", campaign=one.pk)) == {"bob", "cy", "dan"}
    assert asked(world, condition("campaign", outcome="finished", within=within(7))) == {"bob"}
    assert asked(world, condition("campaign", outcome="exited")) == {"cy"}


def test_only_the_brands_own_rows_count(world, ledger, people):
    brand = Brand.objects.create(name="Other")
    app = App.objects.create(brand=brand, name="Site", origin="https://other.example")
    key = VapidKey.objects.create(brand=brand, public_key="other", private_key_encrypted="x")
    foreign = World(brand, app, key)
    stranger = foreign.end_user(external_id="stranger")
    Ledger(foreign).push(stranger, Ledger(foreign).dispatch(), clicked=NOW)
    assert asked(world, condition("push", outcome="clicked")) == set()


def test_only_campaigns_and_categories_of_the_brand_can_be_asked_about(world):
    campaign = world.campaign(flow_of(push("a")), name="Welcome")
    PushCategory.objects.create(brand=world.brand, marker="NEWS", name="News")
    field = fields.get("push")
    assert field is not None and field.check is not None and field.suggest is not None
    assert field.check(world.brand.pk, None, {"category": "NEWS"}) is None
    assert field.check(world.brand.pk + 1, None, {"category": "NEWS"}) is not None
    offered = next(param for param in field.params if param.name == "campaign").brand_choices
    assert offered is not None
    assert list(offered(world.brand.pk)) == [(campaign.pk, "Welcome")]
    assert not offered(world.brand.pk + 1)
    assert [item.value for item in field.suggest(world.brand.pk, "category", {}, "ne")] == ["NEWS"]
    assert not field.suggest(world.brand.pk + 1, "category", {}, "")
