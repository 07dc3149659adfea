"""The body of a send job: some chunks at a time, each from claim to results, over one wire.

A chunk waits for its own push service only. While answers are out, the process takes on further chunks of its lane, so
that a push service that is slow, silent or limiting keeps nothing waiting but the chunks that go there.
"""

import os
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError

from devices.delivery.models import Lane
from devices.delivery.push_services.budgets import Target, budget_grant, budget_untried, budgets_read
from devices.delivery.push_services.health import records_read, records_write
from devices.delivery.push_services.pacing import Pace
from devices.delivery.sending.carrying import Carrier, RecentlyTaken
from devices.delivery.sending.claim import chunk_claim
from devices.delivery.services.outbox import CutChunk, chunks_waiting, workers_notify
from devices.delivery.transports.fcm.transport import Fcm
from devices.delivery.transports.webpush import WebPush
from devices.delivery.transports.wire import Wire

log = structlog.get_logger(__name__)

CARRIED_MOST = 64
"""Chunks that are carried at once, without those whose push service does not answer."""
ANSWER_SECONDS = 30.0
"""How long a push service may take to answer; one that was silent gets less."""
LOOK_SECONDS = 0.05
"""How often a process that waits for answers looks for further chunks."""
KNOW_SECONDS = 0.25
"""How often it reads what others have found out."""
ASK_SECONDS = 0.05
"""How often it asks for what a limited push service accepts."""
KEEP_SECONDS = 10.0
"""A chunk that has to wait for longer is let go."""
STALE_SECONDS = 1.0
"""Answers that take longer do not keep a job from going on."""
AGAIN_SECONDS = 1.0
"""What was let go is not taken on again before."""
SAME_MOST = 32
SLOW_MOST = 3
"""Chunks of one key at one push service that are carried at once, and when it does not answer."""
GRANT_MOST = 1000


@dataclass(frozen=True, slots=True)
class Hours:
    """When a job that takes on further chunks ends, in seconds from its beginning.

    After `soft` it ends as soon as only quick answers are out, after `hard` it takes on nothing more. django-q2 kills
    what is not over after 240.
    """

    soft: float = 45.0
    hard: float = 150.0


class _Process:
    """What a process keeps between jobs: warm connections, access tokens, what push services took lately."""

    def __init__(self) -> None:
        origins = settings.SMARTPUSH_DEV_ORIGINS
        self.wire = Wire(dev_origins=origins, in_flight=settings.SMARTPUSH_SEND_IN_FLIGHT, total_timeout=ANSWER_SECONDS)
        self.web = WebPush(dev_origins=origins, extra_hosts=settings.SMARTPUSH_PUSH_HOSTS)
        self.fcm = Fcm(dev_origins=origins)
        self.recent = RecentlyTaken()

    def close(self) -> None:
        self.wire.close()
        self.fcm.close()


_processes: dict[int, _Process] = {}


def _process() -> _Process:
    """The process's own, made after the fork."""
    found = _processes.get(os.getpid())
    if found is None:
        _processes.clear()
        found = _processes[os.getpid()] = _Process()
    return found


def close_senders() -> None:
    """Close this process's connections; the next job opens new ones with the settings of that moment."""
    for process in _processes.values():
        process.close()
    _processes.clear()


class Sending:
    """One job: carries chunks until all that it took on are over. `lane` None takes on no others."""

    def __init__(self, *, now: datetime, lane: str | None = None, hours: Hours = Hours()) -> None:
        self._process = _process()
        self._lane = lane
        self._hours = hours
        self._began_at, self._began = now, time.monotonic()
        self._carriers: list[Carrier] = []
        self._known: dict[Target, Pace] = {}
        self._let_go: dict[str, float] = {}
        self._looked = self._knew = float("-inf")
        self.sent = 0

    def run(self, chunk_ids: Iterable[int]) -> int:
        """Send these chunks and what else of the lane there is room for; returns how many messages went out."""
        for chunk_id in chunk_ids:
            self._claim(chunk_id, at=self._began_at)
        try:
            while True:
                self._look()
                if not self._carriers:
                    self._tell()
                    return self.sent
                self._learn()
                self._process.wire.step(0.0 if self._feed() else LOOK_SECONDS)
                self._tend()
        finally:
            for carrier in self._carriers:  # only after an exception: what is unsure stays so
                carrier.abandon()

    def _now(self) -> datetime:
        return self._began_at + timedelta(seconds=time.monotonic() - self._began)

    # Taking on.

    def _claim(self, chunk_id: int, *, at: datetime) -> None:
        claim = chunk_claim(chunk_id=chunk_id, now=at)
        if claim is None:
            return
        process = self._process
        try:
            carrier = Carrier(
                claim,
                wire=process.wire,
                web=process.web,
                fcm=process.fcm,
                recent=process.recent,
                known=self._known,
                clock=self._now,
            )
        except DatabaseError:
            raise
        except Exception:  # one chunk's trouble is not that of the others: its lease runs out, and it is tried again
            log.exception("chunk_not_carried", chunk=chunk_id, attempt=claim.attempt)
            return
        self._carriers.append(carrier)
        self._knew = float("-inf")

    def _look(self) -> None:
        """Take on further chunks of the lane, of push services that this job has none left to send to."""
        now = time.monotonic()
        slow = [carrier for carrier in self._carriers if carrier.waits_for > STALE_SECONDS]
        free = CARRIED_MOST - len(self._carriers) + len(slow)
        if self._lane is None or self._ending or free < 1:
            return
        if self._carriers and now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        most = 1 if self._lasted >= self._hours.soft else SLOW_MOST
        busy = {carrier.key for carrier in self._carriers if not carrier.exhausted}
        busy |= {key for key, count in Counter(one.key for one in self._carriers).items() if count >= SAME_MOST}
        busy |= {key for key, count in Counter(one.key for one in slow).items() if count >= most}
        busy |= {key for key, since in self._let_go.items() if now - since < AGAIN_SECONDS}
        for chunk_id in chunks_waiting(lane=self._lane, busy=sorted(busy), now=self._now(), limit=free):
            self._claim(chunk_id, at=self._now())

    @property
    def _lasted(self) -> float:
        return time.monotonic() - self._began

    @property
    def _ending(self) -> bool:
        """Tell whether nothing more is begun: the job has lasted long and waits for quick answers only, or too long."""
        if self._lane is None or self._lasted < self._hours.soft:
            return False
        return self._lasted >= self._hours.hard or not any(one.waits_for > STALE_SECONDS for one in self._carriers)

    # What others know.

    def _learn(self) -> None:
        now = time.monotonic()
        if now - self._knew < KNOW_SECONDS:
            return
        self._knew = now
        self._tell()
        wire = self._process.wire
        origins = {carrier.origin for carrier in self._carriers}
        wire.records_tell(records_read(origins=origins, now=self._now(), clock=wire.clock()))
        targets = {carrier.limit for carrier in self._carriers} | {carrier.credentials for carrier in self._carriers}
        self._known.clear()
        self._known.update(budgets_read(targets=targets))

    def _tell(self) -> None:
        """Let others know how push services have been doing."""
        wire = self._process.wire
        records_write(records=wire.records_take(), now=self._now(), clock=wire.clock())

    def _limit_of(self, carrier: Carrier) -> tuple[Target, Pace] | None:
        """Return the limit that the chunk's messages are sent under now, if there is any."""
        for target in (carrier.credentials, carrier.limit):
            pace = self._known.get(target)
            if pace is not None and (pace.kind or pace.rate is not None):
                return target, pace
        return None

    # Sending.

    def _feed(self) -> bool:
        """Give each carrier its turn; says whether one would have gone on, so that nobody waits before the next."""
        hungry = False
        ending, late = self._ending, self._lasted >= self._hours.soft and self._lane is not None
        for carrier in self._carriers:
            if carrier.lost or carrier.failed or ending or (late and carrier.waits_for > STALE_SECONDS):
                carrier.recall()
                continue
            try:
                hungry |= self._feed_one(carrier)
            except DatabaseError:
                raise
            except Exception:  # as above; what is out is still recorded
                log.exception("chunk_failed", chunk=carrier.claim.chunk_id, attempt=carrier.claim.attempt)
                carrier.failed = True
        return hungry

    def _feed_one(self, carrier: Carrier) -> bool:
        limit = self._limit_of(carrier)
        if limit is None:
            if self._process.wire.open_for(carrier.origin):
                return False
            carrier.feed()
            return carrier.hungry
        now = time.monotonic()
        if carrier.empty or now - carrier.asked_at < ASK_SECONDS:
            return False
        carrier.asked_at = now
        target, pace = limit
        at = self._now()
        if pace.kind and pace.suspect is None and at.timestamp() < pace.held_until:
            return False
        urgent = carrier.claim.lane == Lane.URGENT
        grant = budget_grant(target=target, want=min(carrier.left, GRANT_MOST), urgent=urgent, now=at)
        if grant.count and not carrier.feed_granted(grant) and grant.tries:
            budget_untried(target=target)
            if grant.not_to is not None:
                carrier.put_off(pace=pace)
        return False

    def _tend(self) -> None:
        for carrier in [one for one in self._carriers if one.refused]:
            carrier.write()
            for other in self._carriers:  # what is under way under the same key stops
                limit = self._limit_of(other)
                if limit is not None and limit[1].kind:
                    other.recall()
        for carrier in list(self._carriers):
            carrier.tend()
            if carrier.lost:
                log.warning("chunk_lease_lost", chunk=carrier.claim.chunk_id, attempt=carrier.claim.attempt)
                carrier.abandon()
                self._drop(carrier)
            elif carrier.idle and carrier.failed:
                self._drop(carrier)  # its lease runs out before it is tried again
            elif carrier.idle and self._is_over(carrier):
                if not carrier.finish():
                    self._let_go[carrier.key] = time.monotonic()
                    if self._ending:
                        workers_notify([CutChunk(carrier.claim.chunk_id, carrier.claim.lane)])
                self._drop(carrier)

    def _is_over(self, carrier: Carrier) -> bool:
        """Tell whether an idle carrier has no more to do here: no rows left, or none that may go soon."""
        if carrier.exhausted or self._ending:
            return True
        limit = self._limit_of(carrier)
        if limit is None or not limit[1].kind:
            return self._process.wire.open_for(carrier.origin) > 0
        waits = limit[1].held_until - self._now().timestamp()
        return waits > (0.0 if self._lane is None else KEEP_SECONDS)

    def _drop(self, carrier: Carrier) -> None:
        self.sent += carrier.sent
        self._carriers.remove(carrier)


def chunk_send(*, chunk_id: int, now: datetime) -> int:
    """Send one chunk and return how many messages were put on the wire; safe to call again at any time.

    A second call finds the lease taken or the chunk done. After a crash the rows in `sending` are unsure and go by
    the resource's policy (docs/adr/0003).
    """
    return Sending(now=now).run([chunk_id])


def lane_send(*, chunk_id: int, lane: str, now: datetime) -> int:
    """The same, taking on further chunks of the lane as long as there is room and time."""
    return Sending(now=now, lane=lane).run([chunk_id])
