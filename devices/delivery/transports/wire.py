"""Many requests at once over few HTTP/2 connections, by libcurl's multi; what is in them the transports say.

One wire carries the messages of any number of senders at the same time. It is driven in steps: whoever drives it puts
messages in, calls `step`, and hears of each result by the callback that was put in with the message.
"""

import heapq
import os
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Self

import certifi
import pycurl

from devices.delivery.transports.base import Outcome, SendRefused, SendResult
from devices.delivery.transports.contract import M, NotNow, NotYet, OnResult, Parcel, Transport
from devices.delivery.transports.origin_queues import OriginQueue, Record
from devices.delivery.transports.outcomes import READ_TIMEOUT, Verdict, classify_error, stream_refused
from devices.delivery.transports.transfer import Transfer

IN_FLIGHT = 256
CONNECTIONS_PER_ORIGIN = 4
CONNECT_TIMEOUT = 10.0
TOTAL_TIMEOUT = 30.0

_TOTAL_IN_FLIGHT_FACTOR: Final = 4
_FILL_AT_ONCE: Final = 32
_PUT_OFF_SECONDS: Final = 0.02
_REFUSED_STREAM_TRIES: Final = 5
_ORIGINS_KEPT: Final = 1000

CIRCUIT_OPEN: Final = "circuit_open"
RECALLED: Final = "recalled"


class Wire:
    """Sends messages of all transports; one per process, made after the fork, used by one thread.

    `dev_origins` are exact origins that may be http, loopback or on another port, for development only. `ca_file`
    replaces the public certificate authorities. `resolve` sends the traffic of a host name to "address:port" instead;
    the certificate is still checked against the name. `in_flight` bounds the messages under way to one origin; all
    origins together get four times as many. Timeouts are in seconds, `clock` gives Unix seconds.
    """

    def __init__(
        self,
        *,
        dev_origins: Collection[str] = frozenset(),
        ca_file: str | None = None,
        resolve: Mapping[str, str] | None = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        total_timeout: float = TOTAL_TIMEOUT,
        in_flight: int = IN_FLIGHT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.in_flight = in_flight
        self.dev_origins = frozenset(dev_origins)
        self.clock = clock
        self._ca_file = ca_file or certifi.where()
        self._resolve = dict(resolve or {})
        self._connect_timeout, self._total_timeout = connect_timeout, total_timeout
        self._pid = os.getpid()
        self._idle: list[Transfer[Parcel[Any]]] = []
        self._queues: dict[str, OriginQueue[Parcel[Any]]] = {}
        self._waiting: dict[str, OriginQueue[Parcel[Any]]] = {}
        self._later: list[tuple[float, int, str, Parcel[Any]]] = []
        self._numbered = 0
        self._active: dict[pycurl.Curl, Transfer[Parcel[Any]]] = {}
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_ORIGIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Abandon what is under way and close every connection."""
        self.abandon()
        for transfer in self._idle:
            transfer.close()
        self._idle.clear()
        self._multi.close()

    # What goes in.

    def put(
        self,
        message: M,
        *,
        transport: Transport[M],
        on_result: OnResult,
        owner: object = None,
        delay: float = 0.0,
    ) -> None:
        """Take a message in, to go out no earlier than in `delay` seconds; `on_result` is called once, in `step`.

        A message that is refused here is reported at once.
        """
        if os.getpid() != self._pid:
            raise RuntimeError("a Wire cannot cross a fork: make one in each process")
        parcel = Parcel(message, transport, on_result, owner)
        try:
            origin = transport.origin_of(message)
        except SendRefused as refusal:
            _report(parcel, None, Verdict(Outcome.REFUSED, refusal.code))
            return
        self._park(parcel, origin, delay)

    def room(self, origin: str) -> int:
        """Return how many more messages for this origin would go out soon: none while as many wait already."""
        queue = self._queues.get(origin)
        if queue is None:
            return self.in_flight
        return max(0, queue.limit(in_flight=self.in_flight) - queue.active - len(queue.waiting)) + (
            _FILL_AT_ONCE if len(queue.waiting) < _FILL_AT_ONCE else 0
        )

    def open_for(self, origin: str) -> float:
        """Return for how many more seconds the origin's circuit is open and sends nothing; 0 when it is not."""
        queue, now = self._queues.get(origin), self.clock()
        return queue.record.open_until - now if queue is not None and queue.is_open(now=now) else 0.0

    @property
    def hungry(self) -> bool:
        """Tell whether nothing that waits could go out at this moment."""
        now = self.clock()
        return not any(
            queue.waiting and (queue.is_open(now=now) or queue.has_room(in_flight=self.in_flight))
            for queue in self._waiting.values()
        )

    @property
    def busy(self) -> bool:
        """Tell whether any message has no result yet."""
        return bool(self._active or self._later or any(queue.waiting for queue in self._waiting.values()))

    def recall(self, owner: object) -> int:
        """Report what has not gone out of an owner's messages as held; returns how many messages that was."""
        recalled = self._unpark(lambda parcel: parcel.owner is owner)
        for parcel in recalled:
            _report(parcel, None, Verdict(Outcome.HELD, RECALLED))
        return len(recalled)

    def abandon(self, owner: object = None) -> None:
        """Forget an owner's messages, or all, without results: streams are reset, connections stay."""
        self._unpark(lambda parcel: owner is None or parcel.owner is owner)
        for handle, transfer in list(self._active.items()):
            if owner is None or transfer.message.owner is owner:
                del self._active[handle]
                self._multi.remove_handle(handle)
                transfer.queue.active -= 1
                transfer.close()

    # How origins are doing.

    def records_take(self) -> dict[str, Record]:
        """Return the records of origins that changed since they were taken last."""
        changed = {origin: queue.record for origin, queue in self._queues.items() if queue.changed}
        for origin in changed:
            self._queues[origin].changed = False
        return changed

    def records_tell(self, records: Mapping[str, Record]) -> None:
        """Take over what other processes know of origins."""
        for origin, record in records.items():
            self._queue(origin).told(record)

    # Driving it.

    def step(self, wait: float) -> int:
        """Start what may go, take in what has come, and wait up to `wait` seconds if nothing has; counts results."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            _, _, origin, parcel = heapq.heappop(self._later)
            self._park(parcel, origin, 0.0)
        started = self._fill()
        while self._multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
            pass
        finished = self._collect()
        if not finished and not started:
            self._wait(wait)
        return finished

    def _wait(self, longest: float) -> None:
        if self._later:
            longest = min(longest, max(self._later[0][0] - time.monotonic(), 0.0))
        if not self._active:
            if longest > 0:
                time.sleep(longest)
            return
        timeout = self._multi.timeout()
        bound = longest if timeout < 0 else min(timeout / 1000, longest)
        if bound > 0:
            self._multi.select(bound)

    # What goes out.

    def _queue(self, origin: str) -> OriginQueue[Parcel[Any]]:
        queue = self._queues.get(origin)
        if queue is None:
            if len(self._queues) > _ORIGINS_KEPT:
                self._queues = {
                    name: one
                    for name, one in self._queues.items()
                    if one.active or one.waiting or one.record != Record() or not one.multiplexed
                }
            queue = self._queues[origin] = OriginQueue(origin)
        return queue

    def _park(self, parcel: Parcel[Any], origin: str, delay: float) -> None:
        if delay > 0:
            self._numbered += 1
            heapq.heappush(self._later, (time.monotonic() + delay, self._numbered, origin, parcel))
            return
        queue = self._queue(origin)
        queue.waiting.append(parcel)
        self._waiting.setdefault(origin, queue)

    def _unpark(self, wanted: Callable[[Parcel[Any]], bool]) -> list[Parcel[Any]]:
        found = [entry[3] for entry in self._later if wanted(entry[3])]
        if found:
            self._later = [entry for entry in self._later if not wanted(entry[3])]
            heapq.heapify(self._later)
        for queue in self._waiting.values():
            mine = [parcel for parcel in queue.waiting if wanted(parcel)]
            if mine:
                kept = [parcel for parcel in queue.waiting if not wanted(parcel)]
                queue.waiting.clear()
                queue.waiting.extend(kept)
                found += mine
        return found

    def _fill(self) -> int:
        """Start up to _FILL_AT_ONCE messages: encrypting more of them would keep answers waiting.

        Returns how many were started, or reported because they may not go.
        """
        started = reported = 0
        total = self.in_flight * _TOTAL_IN_FLIGHT_FACTOR
        now = self.clock()
        while started < _FILL_AT_ONCE and len(self._active) < total:
            queue = self._ready_queue(now)
            if queue is None:
                break
            parcel = queue.waiting.popleft()
            if queue.is_open(now=now):
                wait = queue.record.open_until - now
                _report(parcel, None, Verdict(Outcome.HELD, CIRCUIT_OPEN, retry_after=wait))
                reported += 1
            elif self._start(parcel, queue):
                started += 1
            else:
                reported += 1
        return started + reported

    def _ready_queue(self, now: float) -> OriginQueue[Parcel[Any]] | None:
        """Return a queue with something to do, taking them in turn."""
        for origin in list(self._waiting):
            queue = self._waiting.pop(origin)
            if not queue.waiting:
                continue
            self._waiting[origin] = queue
            if queue.is_open(now=now) or queue.has_room(in_flight=self.in_flight):
                return queue
        return None

    def _start(self, parcel: Parcel[Any], queue: OriginQueue[Parcel[Any]]) -> bool:
        """Put a message on the wire, or report at once why it may not go."""
        try:
            request = parcel.transport.request_of(parcel.message, queue.origin)
        except SendRefused as refusal:
            _report(parcel, None, Verdict(Outcome.REFUSED, refusal.code))
            return False
        except NotNow as problem:
            _report(parcel, None, problem.verdict)
            return False
        except NotYet:
            self._park(parcel, queue.origin, _PUT_OFF_SECONDS)
            return False
        transfer = self._take_transfer()
        connect_to = self._connect_to(queue.origin)
        transfer.prepare(
            message=parcel,
            queue=queue,
            request=request,
            patience=queue.patience(longest=self._total_timeout),
            connect_to=connect_to,
            any_address=connect_to is not None or queue.origin in self.dev_origins,
        )
        self._multi.add_handle(transfer.handle)
        self._active[transfer.handle] = transfer
        queue.active += 1
        return True

    def _take_transfer(self) -> Transfer[Parcel[Any]]:
        if self._idle:
            return self._idle.pop()
        return Transfer(ca_file=self._ca_file, connect_timeout=self._connect_timeout)

    def _connect_to(self, origin: str) -> str | None:
        """Return where the traffic of an origin goes instead, as libcurl's CONNECT_TO wants it."""
        if not self._resolve:
            return None
        host = origin.partition("://")[2].partition(":")[0]
        target = self._resolve.get(host)
        return None if target is None else f"::{target}"

    # What comes back.

    def _collect(self) -> int:
        finished = 0
        more = 1
        while more:
            more, done, broken = self._multi.info_read()
            for handle in done:
                self._finish(handle, 0, "")
            for handle, code, text in broken:
                self._finish(handle, code, text)
            finished += len(done) + len(broken)
        return finished

    def _finish(self, handle: pycurl.Curl, code: int, text: str) -> None:
        transfer = self._active.pop(handle)
        self._multi.remove_handle(handle)
        parcel, queue = transfer.message, transfer.queue
        queue.active -= 1
        status = handle.getinfo(pycurl.RESPONSE_CODE)
        again = False
        now = self.clock()
        if status >= 200:
            version = handle.getinfo(pycurl.INFO_HTTP_VERSION)
            queue.answered(
                multiplexed=version == pycurl.CURL_HTTP_VERSION_2_0, server_error=500 <= status < 600, now=now
            )
            verdict = parcel.transport.verdict_of(
                parcel.message,
                status=status,
                headers=transfer.response_headers,
                body=bytes(transfer.response_body),
                now=now,
            )
        else:
            status = None
            refused = queue.multiplexed and stream_refused(code=code, message=text)
            verdict = classify_error(
                code=code,
                body_taken=transfer.body_taken,
                private_address=transfer.private_address,
                refused=refused,
            )
            if refused:
                # Normal: push services end a connection after so many requests.
                again = parcel.tries < _REFUSED_STREAM_TRIES
            elif verdict.outcome is Outcome.RETRY or verdict.reason == READ_TIMEOUT:
                # A cut is one event for all the streams of its connection, so it does not count.
                queue.failed(now=now, reason=verdict.reason)
        transfer.release()
        self._idle.append(transfer)
        if again:
            parcel.tries += 1
            self._start(parcel, queue)
        else:
            _report(parcel, status, verdict)


def _report(parcel: Parcel[Any], status: int | None, verdict: Verdict) -> None:
    parcel.on_result(
        SendResult(
            key=parcel.message.key,
            outcome=verdict.outcome,
            status=status,
            reason=verdict.reason,
            retry_after=verdict.retry_after,
            location=verdict.location,
        )
    )
