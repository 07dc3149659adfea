"""Campaigns in every state, with people inside each kind of activity and popups in each state."""

from datetime import timedelta
from unittest.mock import patch

from django.db import transaction

from campaigns.activities import registry
from campaigns.activities.push import statement as push_step
from campaigns.activities.statements import Pass
from campaigns.advance import advance_due
from campaigns.models import Campaign, Enrolment, Launch
from campaigns.selectors.entries import entry_of
from campaigns.services.entry import Candidate, enrol
from campaigns.services.entry_by_segment import membership_changes_take
from campaigns.services.publish import campaign_publish
from campaigns.services.ready import announcement_make_ready, campaign_make_ready, segment_push_make_ready
from campaigns.services.schedule import launch_due
from campaigns.services.states import campaign_archive, campaign_disable, campaign_pause
from devices.delivery.transports.endpoints import check_keys
from devices.installations.reporting import Subscription
from devices.lifecycle.consents import Asked
from devices.models import Brand, EndUser
from devices.popups.offers import offer_lease, offer_shown, offers_expire
from segments.models import Segment
from segments.services import segment_ready, segment_save, segments_make_ready
from segments.services.watching import changed_people_evaluate
from smartpush.api.sdk.flows import offer_finish
from tests.support.people import Browser
from tests.upgrades.scene.stage import Channel, Stage, delay, flow_of, popup, push, stop

_REALTIME_STATES = {"Paused": campaign_pause, "Disabled": campaign_disable, "Archived": campaign_archive}
_DAY, _HOUR = 86_400, 3600


def person_of(browser: Browser) -> EndUser:
    """Who is in session there."""
    return browser.device.session_end_user


def journeys_make(stage: Stage, channel: Channel) -> None:
    """Real-time campaigns: the ready flows as drafts, one in each state, and those with people inside."""
    brand = channel.brand
    campaign_make_ready(brand=brand, by=stage.staff["editor"], now=stage.now)
    campaign_make_ready(
        brand=brand, by=stage.staff["editor"], now=stage.now, with_categories=True, make_categories=True
    )
    stage.campaign(brand, "Half a thought", stop("a1"), publish=False)
    reading = stage.push_resource(brand, "Reading").resource_id
    for number, (name, change) in enumerate(_REALTIME_STATES.items()):
        event = f"reading-{number}"
        campaign = stage.campaign(
            brand,
            f"{name} reading",
            delay("a1", 2 * _HOUR, "a2"),
            push("a2", "a3", resource=reading),
            stop("a3"),
            trigger_event=event,
        )
        reader = channel.subscriber(f"inside-{name.lower()}")
        stage.visit(reader, f"inside-{name.lower()}", event=event)
        change(campaign=campaign, now=stage.now)
    _welcome(stage, channel)
    _modes(stage, channel, reading)
    _watched(stage, channel, reading)


def _welcome(stage: Stage, channel: Channel) -> None:
    """An active campaign in its second version, with people in both, one at each place that they can be at."""
    brand = channel.brand
    ask = stage.popup_resource(brand, "May we?").resource
    thanks = stage.push_resource(brand, "Thanks").resource

    def flow(seconds: int) -> list[dict]:
        return [
            popup("a1", timeout=_DAY, allowed="a2", later="a4", resource=ask.pk),
            delay("a2", seconds, "a3"),
            push("a3", "a4", resource=thanks.pk),
            stop("a4"),
        ]

    campaign = stage.campaign(
        brand, "Welcome", *flow(_DAY), trigger_event="arrived", entry_mode="once_while_open", entry_interval=60
    )
    (first,) = stage.visitors(brand, ["in-version-1"], event="arrived")
    campaign.flow = flow_of(*flow(4 * _HOUR))
    campaign.save()
    campaign_publish(campaign=campaign, by=stage.staff["publisher"], now=stage.now)
    campaign.refresh_from_db()
    answers = ["allowed", "blocked", "later", "closed", "dismissed", "no_answer"]
    names = ["popup-pending", "popup-leased", "popup-shown", *(f"popup-{answer}" for answer in answers)]
    _, leased, shown, *answering = stage.visitors(brand, names, event="arrived")
    _lease(stage, leased)
    _show(stage, shown)
    for browser, answer in zip(answering, answers, strict=True):
        offer = _show(stage, browser)
        if answer == "allowed":  # the browser's own question was answered before the popup's answer is told
            (made,) = channel.service.subscriptions(1, brand.vapid_keys.get(active=True).public_key)
            _subscribe(channel, browser, made)
        _answer(stage, browser, offer, answer)
    # The popup of another campaign is still open, so this one waits for it.
    stage.campaign(brand, "Second question", popup("a1", timeout=_DAY, resource=ask.pk), trigger_event="asked-twice")
    stage.visit(first, "in-version-1", event="asked-twice")
    _announced(stage, brand)


def _announced(stage: Stage, brand: Brand) -> None:
    """A popup that is clicked, one that nobody saw, and one whose campaign was ended."""
    news = stage.popup_resource(brand, "News", primary="click", expires_after=_HOUR)
    campaign = announcement_make_ready(
        brand=brand, popup=news.resource, segment=None, by=stage.staff["editor"], now=stage.now
    )
    campaign.trigger_event = "news"
    campaign.save()
    campaign_publish(campaign=campaign, by=stage.staff["publisher"], now=stage.now)
    hello = stage.popup_resource(brand, "Hello", primary="close")
    stage.campaign(brand, "A popup that only closes", popup("a1", resource=hello.resource_id), trigger_event="hello")
    (greeted,) = stage.visitors(brand, ["popup-closed-by-button"], event="hello")
    _answer(stage, greeted, _show(stage, greeted), "closed")
    clicked, _ = stage.visitors(brand, ["popup-clicked", "popup-expired"], event="news")
    _answer(stage, clicked, _show(stage, clicked), "clicked")
    offers_expire(now=stage.now + timedelta(hours=1))  # as far as any popup's time is up by then
    ended = stage.campaign(
        brand, "Cancelled question", popup("a1", timeout=_DAY, resource=news.resource_id), trigger_event="ended"
    )
    stage.visitors(brand, ["popup-cancelled"], event="ended")
    campaign_disable(campaign=ended, now=stage.now)


def _modes(stage: Stage, channel: Channel, reading: int) -> None:
    """People who came again, by each entry mode."""
    for mode in Campaign.EntryMode.values:
        stage.campaign(
            channel.brand,
            f"Mode {mode}",
            delay("a1", 3 * _HOUR, "a2"),
            push("a2", resource=reading),
            trigger_event=f"mode-{mode}",
            entry_mode=mode,
        )
        browser = channel.subscriber(f"mode-{mode}")
        for _ in range(2):
            stage.visit(browser, f"mode-{mode}", event=f"mode-{mode}")


def _watched(stage: Stage, channel: Channel, reading: int) -> None:
    """Make a watched segment with changes that campaigns have taken, one that they have not, and a queued person."""
    rules = {"version": 1, "rule": {"field": "js_markers", "operator": "has", "value": "VIP"}}
    vip = segment_save(brand=channel.brand, name="VIPs", rules=rules, by=stage.staff["editor"])
    around = {
        "version": 1,
        "rule": {"all": [{"field": "segment", "operator": "in", "value": vip.pk}, rules["rule"]]},
    }
    segment_save(brand=channel.brand, name="VIPs by name", rules=around, by=stage.staff["editor"])
    for name, kind in (("Hello VIP", "segment_entered"), ("Farewell VIP", "segment_left")):
        stage.campaign(
            channel.brand,
            name,
            push("a1", resource=reading),
            trigger_kind=kind,
            trigger_segment=vip,
            trigger_event="",
            entry_mode="every_time",
        )
    people = {name: person_of(channel.subscriber(name)) for name in ("vip-told", "vip-not-told", "vip-not-judged")}

    def becomes(name: str, *markers: str) -> None:
        EndUser.objects.filter(pk=people[name].pk).update(js_markers=list(markers))

    becomes("vip-told", "VIP")
    changed_people_evaluate(now=stage.now)
    membership_changes_take(now=stage.now)
    advance_due(now=stage.now)
    becomes("vip-told")
    becomes("vip-not-told", "VIP")
    changed_people_evaluate(now=stage.now)
    becomes("vip-not-judged", "VIP")


def killed_make(stage: Stage, channel: Channel) -> None:
    """A ticker that was killed between two statements left people about to be asked, sent to, and done."""
    campaign = Campaign.objects.get(brand=channel.brand, name="Welcome")
    entry = entry_of(version_id=campaign.current_version_id)
    people = [channel.subscriber(name) for name in ("about-to-be-asked", "about-to-be-sent", "about-to-stop")]
    ids = [
        enrol(entry=entry, candidates=[Candidate(person_of(one).pk, f"killed-{n}", one.device.pk)], now=stage.now)[0]
        for n, one in enumerate(people)
    ]
    Enrolment.objects.filter(pk__in=ids[1:]).update(at_key="a3", at_kind="push", step_seq=2)
    push_step.advance(Pass(now=stage.now, limit=1, ids=[ids[2]], wakes=registry.wake_sql()))


def schedules_make(stage: Stage) -> None:
    """Scheduled campaigns: drafts, to come, half let in, halted, executed, ended."""
    channel = stage.brand("Scheduled letters")
    brand = channel.brand
    segments_make_ready(brand=brand)
    letter = stage.push_resource(brand, "Letter").resource
    everybody = segment_ready(brand=brand, key=Segment.Ready.PUSH_ENABLED)
    for number in range(5):
        channel.subscriber(f"letter-{number}")
    segment_push_make_ready(
        brand=brand,
        push=letter,
        segment=everybody,
        scheduled_at=stage.now + timedelta(days=3),
        by=stage.staff["editor"],
        now=stage.now,
    )

    def scheduled(name: str, at: timedelta) -> Campaign:
        return stage.campaign(
            brand,
            name,
            push("a1", "a2", resource=letter.pk),
            stop("a2"),
            kind="scheduled",
            trigger_event="",
            scheduled_at=stage.now + at,
            segment=everybody,
        )

    scheduled("To come", timedelta(days=2))
    for name, change in (
        ("Executed", None),
        ("Executed and archived", campaign_archive),
        ("Executed and disabled", campaign_disable),
    ):
        campaign = scheduled(name, timedelta(0))
        launch_due(now=stage.now)
        while advance_due(now=stage.now).moved:
            pass
        if change is not None:
            change(campaign=campaign, now=stage.now)
    halted = scheduled("Halted", timedelta(hours=1))
    campaign_pause(campaign=halted, now=stage.now)
    # As with a million people: slices of the audience, of which some are in when the process is killed.
    half = scheduled("Half let in", timedelta(0))
    with patch("campaigns.services.schedule.SLICE", 1):
        while not launch_due(now=stage.now, max_slices=1).entered:
            pass
    assert Launch.objects.filter(campaign=half, finished_at=None).exists()


def _subscribe(channel: Channel, browser: Browser, made: dict[str, str]) -> None:
    p256dh, auth = check_keys(made["p256dh"], made["auth"])
    key = channel.brand.vapid_keys.get(active=True).public_key
    browser.permission = "granted"
    browser.subscription = Subscription(made["endpoint"], channel.service.url, p256dh, auth, key)
    browser.report()


def _lease(stage: Stage, browser: Browser) -> int:
    offer = offer_lease(end_user_id=person_of(browser).pk, device=browser.device, tab="t1", now=stage.now)
    assert offer is not None
    return offer.id


def _show(stage: Stage, browser: Browser) -> int:
    offer_id = _lease(stage, browser)
    person = person_of(browser).pk
    assert offer_shown(offer_id=offer_id, end_user_id=person, device=browser.device, tab="t1", now=stage.now)
    return offer_id


def _answer(stage: Stage, browser: Browser, offer_id: int, outcome: str) -> None:
    with transaction.atomic():
        answered = offer_finish(
            offer_id=offer_id,
            end_user_id=person_of(browser).pk,
            device=browser.device,
            outcome=outcome,
            asked=Asked(device_id=browser.device.pk, language="en", origin="https://site-1.example"),
            languages=["en"],
            ticked=None,
            now=stage.now,
        )
    assert answered
