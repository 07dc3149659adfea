"""The body of a send job: one chunk, from claim to results."""

import os
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import structlog
from django.conf import settings

from devices.models import Brand, Dispatch, VapidKey
from devices.selectors.click_hosts import click_hosts, home_page
from devices.services.sending.claim import (
    Claim,
    Row,
    chunk_claim,
    chunk_finish,
    chunk_give_way,
    lease_renew,
    rows_gate,
)
from devices.services.sending.native import AppFacts, app_facts, native_render
from devices.services.sending.render import BrandFacts, CannotSend, payload_render
from devices.services.sending.results import results_write
from devices.services.sending.turns import RenderTurn
from devices.services.statuses import is_native
from devices.transports.base import Outcome, SendResult, WebMessage
from devices.transports.fcm import FcmMessage, FcmSender
from devices.transports.vapid import VapidKeyPair
from devices.transports.webpush import WebPushSender
from smartpush.common.clock import utc_now
from smartpush.common.crypto import decrypt
from smartpush.common.deadlocks import again_on_deadlock
from smartpush.common.ids import topic
from smartpush.common.personalisation import TEMPLATE_TIME, Meter

log = structlog.get_logger(__name__)

WRITE_EVERY = 500
GATE_AT_ONCE = 500
_web_senders: dict[int, WebPushSender] = {}
_fcm_senders: dict[int, FcmSender] = {}


class LeaseLost(Exception):
    """Another worker took the chunk over: stop, and let its results stand."""


def _web_sender() -> WebPushSender:
    """The process's own sender, made after the fork; its connections stay warm between chunks."""
    sender = _web_senders.get(os.getpid())
    if sender is None:
        _web_senders.clear()
        sender = _web_senders[os.getpid()] = WebPushSender(
            dev_origins=settings.SMARTPUSH_DEV_ORIGINS, extra_hosts=settings.SMARTPUSH_PUSH_HOSTS
        )
    return sender


def _fcm_sender() -> FcmSender:
    """The same for native messages; it keeps each app's access token too."""
    sender = _fcm_senders.get(os.getpid())
    if sender is None:
        _fcm_senders.clear()
        sender = _fcm_senders[os.getpid()] = FcmSender(dev_origins=settings.SMARTPUSH_DEV_ORIGINS)
    return sender


def close_senders() -> None:
    """Close this process's connections; the next chunk opens new ones with the settings of that moment."""
    for web in _web_senders.values():
        web.close()
    for fcm in _fcm_senders.values():
        fcm.close()
    _web_senders.clear()
    _fcm_senders.clear()


def brand_facts(*, brand_id: int) -> BrandFacts:
    """The brand's name, every host that its clicks may lead to, and its first https page."""
    brand = Brand.objects.only("name", "click_hosts").get(pk=brand_id)
    return BrandFacts(name=brand.name, click_hosts=click_hosts(brand=brand), home=home_page(brand=brand))


def _vapid_keys(brand_id: int) -> dict[int, VapidKeyPair]:
    return {
        key.pk: VapidKeyPair(
            public=key.public_key,
            private=decrypt(key.private_key_encrypted),
            subject=settings.SMARTPUSH_VAPID_SUBJECT,
        )
        for key in VapidKey.objects.filter(brand_id=brand_id)
    }


class _Writer:
    """Collects results and writes them in batches; keeps the lease alive; stops when it was lost."""

    def __init__(self, claim: Claim, policy: str) -> None:
        self.claim = claim
        self.policy = policy
        self.turn = RenderTurn(claim.content)
        self.rows: dict[int, Row] = {}
        self.origins: dict[int, str] = {}
        self.sent = 0
        self.waiting: list[SendResult] = []
        self.beat = utc_now()
        self.beat_seconds = settings.SMARTPUSH_LEASE_SECONDS / 6

    def take(self, rows: list[Row]) -> None:
        self.rows.update((row.id, row) for row in rows)
        self.origins.update((row.id, row.origin) for row in rows)
        self.sent += len(rows)

    def add(self, result: SendResult) -> None:
        self.waiting.append(result)
        if len(self.waiting) >= WRITE_EVERY:
            self.flush()

    def refuse(self, row: Row, problem: CannotSend) -> None:
        """Note a message that cannot be made."""
        outcome = Outcome.LATE if problem.reason == TEMPLATE_TIME else Outcome.REFUSED
        self.add(SendResult(row.id, outcome, None, problem.reason, detail=problem.detail))

    def put_back(self, row: Row) -> None:
        """Leave a row to the chunk's next turn."""
        self.sent -= 1
        self.add(SendResult(row.id, Outcome.PUT_BACK, None, ""))

    def flush(self) -> None:
        batch, self.waiting = self.waiting, []
        again_on_deadlock(
            lambda: results_write(
                claim=self.claim,
                policy=self.policy,
                rows=self.rows,
                origins=self.origins,
                results=batch,
                now=utc_now(),
            )
        )

    def progress(self) -> None:
        now = utc_now()
        if (now - self.beat).total_seconds() >= self.beat_seconds:
            self.beat = now
            self.flush()
            if not lease_renew(claim=self.claim, now=now):
                raise LeaseLost


def _rows(writer: _Writer, now: datetime) -> Iterator[Row]:
    """Gate the chunk's rows slice by slice, as the wire asks for them; put back what the turn is too short for."""
    began = time.monotonic()
    judged = limit = 0
    while judged == limit and not writer.turn.over:
        at = now + timedelta(seconds=time.monotonic() - began)
        limit = writer.turn.rows(GATE_AT_ONCE)
        judged, rows = again_on_deadlock(partial(rows_gate, claim=writer.claim, now=at, limit=limit))
        writer.take(rows)
        for row in rows:
            if writer.turn.over:
                writer.put_back(row)
            else:
                yield row


def _messages(writer: _Writer, brand: BrandFacts, now: datetime) -> Iterator[WebMessage]:
    """Render lazily, just ahead of the wire; what cannot be rendered becomes a result at once."""
    claim = writer.claim
    for row in _rows(writer, now):
        meter = Meter()
        try:
            payload = payload_render(row=row, day=claim.day, content=claim.content, brand=brand, meter=meter)
        except CannotSend as problem:
            writer.refuse(row, problem)
            continue
        finally:
            writer.turn.add(meter)
        left = int((row.expires_at - utc_now()).total_seconds())
        yield WebMessage(
            key=row.id,
            endpoint=row.endpoint,
            p256dh=row.p256dh,
            auth=row.auth,
            vapid_key_id=row.vapid_key_id,
            payload=payload,
            ttl=max(left, 0),
            urgency=claim.urgency,
            topic=topic(row.id),
        )


def _native_messages(writer: _Writer, brand: BrandFacts, app: AppFacts, now: datetime) -> Iterator[FcmMessage]:
    """The same for an app's devices."""
    claim = writer.claim
    for row in _rows(writer, now):
        meter = Meter()
        try:
            body = native_render(row=row, claim=claim, brand=brand, app=app, now=utc_now(), meter=meter)
        except CannotSend as problem:
            writer.refuse(row, problem)
            continue
        finally:
            writer.turn.add(meter)
        yield FcmMessage(key=row.id, account=app.account, body=body)


def _put_on_wire(writer: _Writer, now: datetime) -> None:
    claim = writer.claim
    brand = brand_facts(brand_id=claim.brand_id)
    if is_native(claim.origin):
        app = app_facts(origin=claim.origin, brand_id=claim.brand_id)
        _fcm_sender().send(
            _native_messages(writer, brand, app, now),
            on_result=writer.add,
            on_progress=writer.progress,
            in_flight=settings.SMARTPUSH_SEND_IN_FLIGHT,
        )
        return
    _web_sender().send(
        _messages(writer, brand, now),
        vapid=_vapid_keys(claim.brand_id),
        on_result=writer.add,
        on_progress=writer.progress,
        in_flight=settings.SMARTPUSH_SEND_IN_FLIGHT,
    )


def chunk_send(*, chunk_id: int, now: datetime) -> int:
    """Send one chunk and return how many messages were put on the wire; safe to call again at any time.

    A second call finds the lease taken or the chunk done. After a crash the rows in `sending` are unsure and go by
    the resource's policy (docs/adr/0003).
    """
    claim = chunk_claim(chunk_id=chunk_id, now=now)
    if claim is None:
        return 0
    writer = _Writer(claim, Dispatch.objects.only("policy").get(pk=claim.dispatch_id).policy)
    try:
        _put_on_wire(writer, now)
    except LeaseLost:
        log.warning("chunk_lease_lost", chunk=chunk_id, attempt=claim.attempt)
        return writer.sent
    finally:
        writer.flush()
    chunk_finish(claim=claim, now=utc_now())
    if writer.turn.over:
        chunk_give_way(claim=claim, now=utc_now())
    return writer.sent
