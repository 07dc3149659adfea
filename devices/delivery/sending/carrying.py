"""One chunk under way: its rows are gated and rendered as there is room, its results written as they come."""

import time
from collections import deque
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from functools import partial

from django.conf import settings

from devices.delivery.models import Dispatch
from devices.delivery.push_services.budgets import (
    NATIVE_ORIGIN,
    Target,
    budget_accepted,
    budget_refused,
    budget_untried,
)
from devices.delivery.push_services.pacing import BREAKER, THROTTLED, Grant, Pace, Recent
from devices.delivery.sending.chunks import chunk_finish, chunk_release, lease_renew, rows_put_off
from devices.delivery.sending.claim import Claim, Row
from devices.delivery.sending.gating import rows_gate
from devices.delivery.sending.keys import vapid_keys_read
from devices.delivery.sending.native import AppFacts, app_facts, native_render
from devices.delivery.sending.render import CannotSend, brand_facts, payload_render
from devices.delivery.sending.results import results_write
from devices.delivery.sending.turns import RenderTurn
from devices.delivery.transports.base import Outcome, SendResult, WebMessage
from devices.delivery.transports.fcm.credentials import FCM_ORIGIN
from devices.delivery.transports.fcm.transport import Fcm, FcmMessage
from devices.delivery.transports.webpush import WebPush
from devices.delivery.transports.wire import Wire
from devices.installations.tokens import is_native
from smartpush.common.database.deadlocks import again_on_deadlock
from smartpush.common.ids import topic
from smartpush.common.personalisation import TEMPLATE_TIME, Meter

WRITE_EVERY = 500
WRITE_SECONDS = 1.0
GATE_AT_ONCE = 500
RECENT_SECONDS = 60.0
PAUSE_SECONDS = 5.0

_LATER = {Outcome.THROTTLED: THROTTLED, Outcome.AUTH: BREAKER}


class RecentlyTaken:
    """What push services accepted lately under keys without a known limit: what a first refusal is measured by."""

    def __init__(self) -> None:
        self._taken: dict[Target, deque[tuple[float, int]]] = {}

    def add(self, target: Target, *, at: float, count: int) -> None:
        """Count messages that were accepted; a pause begins the count anew."""
        entries = self._taken.setdefault(target, deque())
        if entries and at - entries[-1][0] > PAUSE_SECONDS:
            entries.clear()
        entries.append((at, count))
        while at - entries[0][0] > RECENT_SECONDS:
            entries.popleft()

    def of(self, target: Target, *, at: float) -> Recent:
        """Return how many were accepted, and since when."""
        entries = self._taken.get(target)
        if not entries:
            return Recent(0, at)
        return Recent(sum(count for _, count in entries), entries[0][0])


class Carrier:
    """A claimed chunk; all calls come from one thread.

    `known` holds the limits that were met, `clock` gives the time of the entry that carries it.
    """

    def __init__(
        self,
        claim: Claim,
        *,
        wire: Wire,
        web: WebPush,
        fcm: Fcm,
        recent: RecentlyTaken,
        known: MutableMapping[Target, Pace],
        clock: Callable[[], datetime],
    ) -> None:
        self.claim = claim
        self.sent = 0
        self.exhausted = False
        self.refused = False
        self.lost = False
        self.failed = False
        self.asked_at = float("-inf")
        self._wire, self._web, self._fcm = wire, web, fcm
        self._recent, self._known, self._clock = recent, known, clock
        self._policy = Dispatch.objects.only("policy").get(pk=claim.dispatch_id).policy
        self._brand = brand_facts(brand_id=claim.brand_id)
        self._app: AppFacts | None = None
        self._unreadable: frozenset[int] = frozenset()
        if is_native(claim.origin):
            self._app = app_facts(origin=claim.origin, brand_id=claim.brand_id, now=clock())
            account = self._app.account
            self.origin = account.origin if account is not None else FCM_ORIGIN
            self.limit = Target(claim.sender or claim.origin, NATIVE_ORIGIN)
            self.credentials = Target(claim.origin, claim.origin)
        else:
            keys = vapid_keys_read(claim=claim, now=clock())
            self._web.keys_add(keys.readable)
            self._unreadable = keys.unreadable
            self.origin = claim.origin
            self.limit = self.credentials = Target(claim.sender, claim.origin)
        self._turn = RenderTurn(claim.content)
        self._rows: dict[int, Row] = {}
        self._out: dict[int, float] = {}
        self._tries: set[int] = set()
        self._gated: deque[Row] = deque()
        self._gated_count = 0
        self._results: list[SendResult] = []
        self._written_at = self._beat_at = time.monotonic()

    @property
    def key(self) -> str:
        """Names the key and the push service, as `chunks_waiting` wants it."""
        return f"{self.claim.sender} {self.claim.origin}"

    @property
    def idle(self) -> bool:
        """Tell whether nothing of it is gated without a written result."""
        return not self._out and not self._gated and not self._results

    @property
    def waits_for(self) -> float:
        """Return for how many seconds the oldest of its messages has been out."""
        oldest = next(iter(self._out.values()), None)
        return 0.0 if oldest is None else time.monotonic() - oldest

    @property
    def left(self) -> int:
        """Return about how many rows were not gated yet."""
        return max(1, self.claim.size - self._gated_count)

    @property
    def empty(self) -> bool:
        """Tell whether none of its rows is left to go out."""
        return self.exhausted and not self._gated

    @property
    def hungry(self) -> bool:
        """Tell whether its turn ended before the room on the wire did."""
        return self._turn.over and not self.empty

    # Out.

    def feed(self) -> None:
        """Put as many messages on the wire as have room there, and as this turn of rendering is long."""
        room = self._wire.room(self.origin)
        self._turn.begin()
        while room > 0 and not self._turn.over:
            if not self._gated and (self.exhausted or not self._gate(self._slice(room))):
                return
            while self._gated and room > 0 and not self._turn.over:
                room -= 1
                self._put(self._gated.popleft(), delay=0.0)

    def feed_granted(self, grant: Grant) -> int:
        """Put the messages of a grant on the wire, each at its time; returns how many there were."""
        given = 0
        self._turn.begin()
        while given < grant.count and not self._turn.over:
            rows = self._turn.rows(grant.count - given)
            if not self._gated and not self._gate(rows, not_to=grant.not_to):
                break
            while self._gated and given < grant.count and not self._turn.over:
                row = self._gated.popleft()
                if grant.tries:
                    self._tries.add(row.id)
                self._put(row, delay=grant.delay + given * grant.spacing)
                given += 1
        return given

    def put_off(self, *, pace: Pace) -> None:
        """Let what goes to the one refused device wait by itself: there is nothing here to try with."""
        until = datetime.fromtimestamp(pace.held_until, UTC)
        rows_put_off(claim=self.claim, device_id=pace.suspect, hold=pace.kind, until=until)
        self.exhausted = True

    def _slice(self, room: int) -> int:
        """Return how many rows are gated at once: few for a push service that has room for few."""
        return self._turn.rows(GATE_AT_ONCE if room >= self._wire.in_flight // 8 else room)

    def _gate(self, limit: int, *, not_to: int | None = None) -> bool:
        """Gate rows until some may go; says whether there are any."""
        while True:
            gated, rows = again_on_deadlock(
                partial(
                    rows_gate,
                    claim=self.claim,
                    now=self._clock(),
                    limit=limit,
                    not_to=not_to,
                    unreadable=self._unreadable,
                    app_unreadable=self._app is not None and self._app.unreadable,
                )
            )
            self._gated_count += gated
            self._rows.update((row.id, row) for row in rows)
            self._gated.extend(rows)
            if gated < limit and not_to is None:
                self.exhausted = True
            if rows or gated < limit:
                return bool(rows)

    def _put(self, row: Row, *, delay: float) -> None:
        self._out[row.id] = time.monotonic() + max(delay, 0.0)
        self.sent += 1
        meter = Meter()
        try:
            if self._app is None:
                message = self._web_message(row, meter)
                self._wire.put(message, transport=self._web, on_result=self.take, owner=self, delay=delay)
            else:
                body = native_render(
                    row=row, claim=self.claim, brand=self._brand, app=self._app, now=self._clock(), meter=meter
                )
                native = FcmMessage(key=row.id, account=self._app.account, body=body)
                self._wire.put(native, transport=self._fcm, on_result=self.take, owner=self, delay=delay)
        except CannotSend as problem:
            outcome = Outcome.LATE if problem.reason == TEMPLATE_TIME else Outcome.REFUSED
            self.take(SendResult(row.id, outcome, None, problem.reason, detail=problem.detail))
        finally:
            self._turn.add(meter)

    def _web_message(self, row: Row, meter: Meter) -> WebMessage:
        claim = self.claim
        payload = payload_render(row=row, day=claim.day, content=claim.content, brand=self._brand, meter=meter)
        left = int((row.kept_until - self._clock()).total_seconds())
        return WebMessage(
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

    # In.

    def take(self, result: SendResult) -> None:
        """Take one result; a refusal of all that we send marks the carrier."""
        del self._out[result.key]
        self._results.append(result)
        if result.outcome in _LATER:
            self.refused = True

    def recall(self) -> None:
        """Take back what has not gone out: it stays in the chunk and waits."""
        self._wire.recall(self)
        while self._gated:
            row = self._gated.popleft()
            self._results.append(SendResult(row.id, Outcome.HELD, None, ""))

    def tend(self) -> None:
        """Write what is due to be written, and keep the lease."""
        now = time.monotonic()
        due = len(self._results) >= WRITE_EVERY or now - self._written_at >= WRITE_SECONDS or not self._out
        if self._results and due:
            self.write()
        if now - self._beat_at >= settings.SMARTPUSH_LEASE_SECONDS / 6:
            self._beat_at = now
            if not lease_renew(claim=self.claim, now=self._clock()):
                self.lost = True

    def write(self) -> None:
        """Write the results that have come; what they say of limits is known from then on."""
        batch, self._results = self._results, []
        self._written_at = time.monotonic()
        self.refused = False
        if not batch:
            return
        now = self._clock()
        held = self._limits_note(batch, now)
        again_on_deadlock(
            lambda: results_write(
                claim=self.claim, policy=self._policy, rows=self._rows, results=batch, now=now, held=held
            )
        )
        for result in batch:
            del self._rows[result.key]
            self._tries.discard(result.key)
            if result.outcome is Outcome.HELD and result.retry_after is None:
                self.exhausted = False  # it is in the chunk again
                self._gated_count -= 1
                self.sent -= 1

    def _limits_note(self, batch: list[SendResult], now: datetime) -> dict[Outcome, datetime]:
        """Note what was accepted and refused; returns until when all wait that are refused so."""
        held: dict[Outcome, datetime] = {}
        taken = [result for result in batch if result.outcome is Outcome.ACCEPTED]
        if taken:
            self._recent.add(self.limit, at=now.timestamp(), count=len(taken))
            for target in {self.limit, self.credentials}:
                if target in self._known:
                    pace = budget_accepted(
                        target=target,
                        brand_id=self.claim.brand_id,
                        subject=self.claim.origin,
                        count=len(taken),
                        tried=any(result.key in self._tries for result in taken),
                        now=now,
                    )
                    if pace is not None:
                        self._known[target] = pace
        for result in batch:
            kind = _LATER.get(result.outcome)
            if kind is None:
                # A try that says nothing of the limit, such as one to a dead token: another may try at once.
                if result.outcome is not Outcome.ACCEPTED and result.key in self._tries:
                    for target in {self.limit, self.credentials}:
                        budget_untried(target=target)
                continue
            target = self.limit if kind == THROTTLED else self.credentials
            known = self._known.get(target)
            tried = result.key in self._tries
            if known is None or not known.kind or known.suspect is not None or tried:
                known = self._known[target] = budget_refused(
                    target=target,
                    brand_id=self.claim.brand_id,
                    subject=self.claim.origin,
                    kind=kind,
                    device_id=self._rows[result.key].device_id,
                    status=result.status,
                    reason=result.reason,
                    now=now,
                    tried=tried,
                    retry_after=result.retry_after,
                    recent=self._recent.of(self.limit, at=now.timestamp()),
                )
            if known.kind:
                held[result.outcome] = datetime.fromtimestamp(known.held_until, UTC)
        return held

    # How it ends.

    def finish(self) -> bool:
        """Close the chunk, or let go of it when rows wait in it; says whether it is closed."""
        return chunk_finish(claim=self.claim, now=self._clock()) or not chunk_release(
            claim=self.claim, now=self._clock()
        )

    def abandon(self) -> None:
        """Forget it: another worker has it, or will."""
        self._wire.abandon(self)
        self._gated.clear()
        self._results.clear()
        self._out.clear()
