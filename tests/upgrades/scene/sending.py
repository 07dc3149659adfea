"""Deliveries in every state with their reasons, everything that holds one up, and chunks in every state."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.test import override_settings

from devices.delivery.push_services.budgets import NATIVE_ORIGIN
from devices.delivery.sending import chunk_send
from devices.delivery.services.messages import message_cancel
from devices.delivery.services.outbox import chunks_cut
from devices.delivery.services.receipts import Receipt, receipts_record
from devices.delivery.transports.origin_queues import ERRORS_TO_OPEN
from devices.installations.archiving import app_archive, tokens_follow
from devices.installations.tokens import native_origin, tokens_gone
from devices.lifecycle.brands import brand_stop
from devices.lifecycle.preferences import opt_out_set
from devices.models import Brand, Delivery, EndUser, FrequencyCap, OriginHealth, PushStatus, SendBudget, Status
from devices.people.services.replays import replay_begin, replay_keep
from segments.services.scheduled_work import work_notify
from smartpush.api.server.flows import PushOrder, push_take
from smartpush.common.ids import public_id, report_token
from tests.support.native import Phone, native_app
from tests.support.sending import crash_the_worker_after_gating, set_dispatch
from tests.upgrades.scene.stage import Channel, Stage

# What the push service answers once, what was asked of the dispatch, and what becomes of the delivery.
_ANSWERS = {
    "gone": ({"mode": 410}, {}),
    "failed-too-large": ({"mode": 413}, {}),
    "failed-refused": ({"mode": 400}, {}),
    "unknown": ({"mode": "cut"}, {"policy": "at_most_once"}),
}
_OTHER_KEY = "the key in the authorization header does not correspond to the sender id used to subscribe this user"
_FAR = "https://updates.push.services.mozilla.com"


def deliveries_make(stage: Stage, channel: Channel) -> None:
    """Ended in each way that one ends, and told of by their devices."""
    for kind in ("displayed", "clicked", "closed"):
        sent = channel.push(channel.subscriber(f"sent-{kind}"), key="sent")
        token = report_token(sent.pk, sent.day)
        receipts_record(receipts=[Receipt(token, kind, stage.now, "b1" if kind == "clicked" else "")], now=stage.now)
    for name, (failure, asked) in _ANSWERS.items():
        browser = channel.subscriber(name)
        stage.service.fail(**failure, token=channel.tokens[name], times=1)
        channel.push(browser, key=name, **asked)
    seen = channel.subscriber("unknown-and-seen")
    stage.service.fail("cut", token=channel.tokens["unknown-and-seen"], times=1)
    unsure = channel.push(seen, key="seen", policy="at_most_once")
    receipts_record(receipts=[Receipt(report_token(unsure.pk, unsure.day), "displayed", stage.now)], now=stage.now)
    tired = channel.subscriber("failed-tries")
    (tired_id,) = channel.add(channel.dispatch(key="failed-tries"), tired)
    Delivery.objects.filter(pk=tired_id).update(tries=11)
    stage.service.fail(503, token=channel.tokens["failed-tries"], times=1)
    channel.send_due()
    wrong_key = channel.subscriber("failed-key")
    stage.service.fail(403, token=channel.tokens["failed-key"], times=1, body=_OTHER_KEY)
    channel.push(wrong_key, key="failed-key")
    _gated(stage, channel)


def _gated(stage: Stage, channel: Channel) -> None:
    """Those that end before the wire."""
    for name in ("expired", "cancelled", "taken-over", "unreachable", "not-allowed", "opted-out", "wrong-target"):
        browser = channel.subscriber(f"gate-{name}")
        device = browser.device
        dispatch = channel.dispatch(key=f"gate-{name}")
        channel.add(dispatch, browser)
        match name:
            case "expired":
                Delivery.objects.filter(dispatch_id=dispatch).update(expires_at=stage.now)
            case "cancelled":
                set_dispatch(dispatch, state="stopped", stop_reason="campaign_disabled")
            case "taken-over":
                browser.load("gate-the-next-one")
            case "unreachable":
                tokens_gone(tokens=[(device.pk, device.token_hash or "")], reason="gone", now=stage.now)
            case "not-allowed":
                PushStatus.objects.filter(device=device).update(status=Status.ASK)
            case "opted-out":
                opt_out_set(end_user_id=device.holder_id, opted_out=True, by="staff", now=stage.now)
            case "wrong-target":
                EndUser.objects.filter(pk=device.holder_id).update(target_devices="native")
    channel.send_due()


def restraint_make(stage: Stage) -> None:
    """Brands whose messages wait for the end of quiet hours, fall into them, or are over a cap."""
    here = stage.now.astimezone(ZoneInfo("Europe/Lisbon"))
    begins = time((here.hour - 1) % 24)
    ends = time((here.hour + 4) % 24)
    for policy in ("wait", "skip"):
        channel = stage.brand(f"Quiet: {policy}")
        Brand.objects.filter(pk=channel.brand.pk).update(quiet_from=begins, quiet_until=ends, quiet_policy=policy)
        channel.push(channel.subscriber(f"quiet-{policy}"), key="quiet", purpose="marketing")
    channel = stage.brand("Capped")
    for scope, most in (("end_user", 1), ("brand", 1000)):
        FrequencyCap.objects.create(brand=channel.brand, scope=scope, period="week", most=most)
    browser = channel.subscriber("capped")
    for number in range(2):
        channel.push(browser, key=f"capped-{number}", request=str(number), purpose="marketing")


def holds_make(stage: Stage) -> None:
    """Brands whose pushes an origin refuses or limits, whose origin fails, and one that is stopped."""
    asked = {"Refused": ({"mode": 401}, "breaker"), "Limited": ({"mode": 429, "retry_after": 900}, "throttled")}
    for name, (failure, kind) in asked.items():
        channel = stage.brand(name)
        stage.service.fail(**failure, times=2)
        for number in range(3):
            # Two are refused by the service, the third waits for it in its chunk.
            channel.push(channel.subscriber(f"held-{kind}-{number}"), key=f"{kind}-{number}")
        assert SendBudget.objects.get(brand=channel.brand).kind == kind
        # Beside it: one that has run out, and one that lasts for long.
        SendBudget.objects.create(
            brand=channel.brand,
            sender="vapid:0",
            origin=f"{_FAR}-{kind}"[:255],
            kind=kind,
            held_at=stage.now - timedelta(hours=2),
            held_until=stage.now + timedelta(hours=20 if kind == "throttled" else -1),
            refusals=7,
            last_status=failure["mode"],
        )
    SendBudget.objects.create(
        brand=channel.brand,
        sender="vapid:0",
        origin=_FAR,
        rate=16.5,
        cycle=60.0,
        held_at=stage.now,
        next_slot=stage.now,
    )
    shaky = stage.brand("Shaky")
    for name, failure in {"held-retry": 500, "held-unsure": "cut"}.items():
        browser = shaky.subscriber(name)
        stage.service.fail(failure, token=shaky.tokens[name], times=1)
        shaky.push(browser, key=name)
    OriginHealth.objects.create(
        origin=_FAR, silences=12, reason="read_timeout", open_until=stage.now, updated_at=stage.now
    )
    stopped = stage.brand("Stopped")
    browsers = [stopped.subscriber(f"held-stopped-{number}") for number in range(2)]
    dispatch = stopped.dispatch(key="stopped")
    stopped.add(dispatch, browsers[0])
    chunks = chunks_cut(now=stage.now)
    brand_stop(brand_id=stopped.brand.pk, now=stage.now)
    for chunk in chunks:
        chunk_send(chunk_id=chunk.id, now=stage.now)
    stopped.add(dispatch, browsers[1])


def failing_make(stage: Stage) -> None:
    """Two messages to a push service that has answered with errors: one tries, the other waits for it."""
    channel = stage.brand("Failing")
    dispatch = channel.dispatch(key="failing")
    for number in range(2):
        channel.add(dispatch, channel.subscriber(f"held-failing-{number}"))
    record = {"errors": ERRORS_TO_OPEN, "silences": 0, "open_until": None, "updated_at": stage.now}
    OriginHealth.objects.update_or_create(origin=stage.service.url, defaults=record)
    stage.service.fail(500, times=1)
    channel.send_due()
    # The service is well again; this process goes on holding it for half a minute, so nothing is sent after this.
    OriginHealth.objects.filter(origin=stage.service.url).delete()
    held = Delivery.objects.filter(dispatch_id=dispatch).values_list("state", "hold_reason")
    assert sorted(held) == [("ready", "failing"), ("ready", "retry")]


def native_make(stage: Stage) -> None:
    """Apps whose messages were taken, whose tokens are gone or another sender's, and whose account is refused."""
    channel = stage.brand("With apps")
    app = native_app(channel.brand, "android", url=stage.service.url)
    ios = native_app(channel.brand, "ios")
    answers = {
        "app-accepted": None,
        "app-gone": "fcm:UNREGISTERED",
        "app-sender": "fcm:SENDER_ID_MISMATCH",
        "app-limited": "fcm:QUOTA_EXCEEDED",
    }
    tokens = stage.service.fcm_tokens(len(answers) + 1)
    for (name, failure), token in zip(answers.items(), tokens[:-1], strict=True):
        phone = Phone(app, token, now=stage.now)
        phone.open(name)
        if failure is not None:
            stage.service.fail(failure, token=token, times=1)
        channel.push(phone, key=name)
    # Without an account nothing can be sent: the messages wait for one.
    without = Phone(ios, tokens[-1], now=stage.now)
    without.open("app-without-account")
    channel.push(without, key="app-without-account")
    kinds = dict(SendBudget.objects.filter(brand=channel.brand).values_list("origin", "kind"))
    assert kinds == {NATIVE_ORIGIN: "throttled", native_origin(ios.pk): "breaker"}


def archived_make(stage: Stage) -> None:
    """Websites that are archived: one whose tokens are set aside, and one where that has only begun."""
    for name, seconds in (("Closed shop", 60.0), ("Closing shop", None)):
        channel = stage.brand(name)
        site = channel.brand.apps.get()
        sent = channel.dispatch(key="before")
        channel.add(sent, channel.subscriber(f"{name}-reader"))
        app_archive(app=site, now=stage.now)
        channel.send_due()
        if seconds is not None:
            tokens_follow(now=stage.now, seconds=seconds)


def requests_make(stage: Stage, channel: Channel) -> None:
    """Transactional pushes: answered, taken back, to go out in two days."""
    brand = channel.brand
    resource = stage.push_resource(brand, "Receipt", urgency="high").resource
    person = channel.subscriber("buyer").device.session_end_user
    for key, days in (("order-1", 0), ("order-2", 1), ("order-3", 2)):
        with transaction.atomic():
            replay = replay_begin(brand_id=brand.pk, scope="push", key=key, request_hash="0" * 64, now=stage.now)
            order = PushOrder(
                resource=resource,
                end_user=person,
                data={"order": key},
                purpose="operational",
                target_devices="all",
                ttl=None,
                send_at=stage.now + timedelta(days=days) if days else None,
            )
            message = push_take(brand=brand, order=order, request_id=replay.row_id, now=stage.now)
            replay_keep(
                row_id=replay.row_id,
                response={"id": public_id("message", replay.row_id), "reason": message.reason, "deliveries": []},
            )
        if days == 1:
            message_cancel(brand_id=brand.pk, request_id=replay.row_id, now=stage.now)


def abandoned_make(stage: Stage, channel: Channel) -> None:
    """Chunks whose worker was killed with their rows on the wire, one of each policy."""
    for policy in ("at_least_once", "at_most_once"):
        dispatch = channel.dispatch(key=f"killed-{policy}", policy=policy)
        for number in range(3):
            channel.add(dispatch, channel.subscriber(f"killed-{policy}-{number}"))
        for chunk in chunks_cut(now=stage.now, dispatch_ids=[dispatch]):
            crash_the_worker_after_gating(chunk.id, stage.now)


def waiting_make(stage: Stage, channel: Channel) -> None:
    """Ready chunks in each lane with their jobs in the queue, rows that nobody has cut yet, sizes to be computed."""
    for lane in ("urgent", "bulk"):
        dispatch = channel.dispatch(key=f"ready-{lane}", lane=lane)
        for number in range(3):
            channel.add(dispatch, channel.subscriber(f"ready-{lane}-{number}"))
        with override_settings(SMARTPUSH_CHUNK_SIZE=2):
            chunks_cut(now=stage.now, dispatch_ids=[dispatch])
    channel.add(channel.dispatch(key="uncut"), channel.subscriber("uncut"))
    assert work_notify(now=stage.now)
