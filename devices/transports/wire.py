"""Many requests at once over few HTTP/2 connections, by libcurl's multi; what is in them the transports say."""

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final, Generic, Protocol, Self, TypeVar

import certifi
import pycurl

from devices.transports.base import Outcome, Request, SendRefused, SendResult
from devices.transports.lanes import Lane
from devices.transports.outcomes import READ_TIMEOUT, Verdict, classify, classify_error, stream_refused
from devices.transports.transfer import Transfer

IN_FLIGHT = 256
CONNECTIONS_PER_ORIGIN = 4
CONNECT_TIMEOUT = 10.0
TOTAL_TIMEOUT = 30.0

_PARKED_MAX: Final = 4096
_TOTAL_IN_FLIGHT_FACTOR: Final = 4
_FILL_AT_ONCE: Final = 32
_READ_AT_ONCE: Final = 128
_LONGEST_WAIT: Final = 0.25
_PROGRESS_EVERY: Final = 0.5
_REFUSED_STREAM_TRIES: Final = 5
_ORIGINS_KEPT: Final = 1000


class Keyed(Protocol):
    """A message of any transport: its result carries the same key."""

    @property
    def key(self) -> int: ...


M = TypeVar("M", bound=Keyed)
OnResult = Callable[[SendResult], None]
OnProgress = Callable[[], None]


class NotNow(Exception):
    """This message cannot go out at the moment, or not under these credentials; `verdict` is its result."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


class WireSender(ABC, Generic[M]):
    """Sends one transport's messages; one per process, made after the fork, used by one thread at a time.

    `dev_origins` are exact origins that may be http, loopback or on another port, for development only. `ca_file`
    replaces the public certificate authorities. `resolve` sends the traffic of a host name to "address:port" instead;
    the certificate is still checked against the name.
    """

    def __init__(
        self,
        *,
        dev_origins: Collection[str] = frozenset(),
        ca_file: str | None = None,
        resolve: Mapping[str, str] | None = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        total_timeout: float = TOTAL_TIMEOUT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._dev_origins = frozenset(dev_origins)
        self._ca_file = ca_file or certifi.where()
        self._resolve = dict(resolve or {})
        self._timeouts = (connect_timeout, total_timeout)
        self._clock = clock
        self._pid = os.getpid()
        self._idle: list[Transfer[M]] = []
        self._lanes: dict[str, Lane[M]] = {}
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        self._multi.setopt(pycurl.M_MAX_HOST_CONNECTIONS, CONNECTIONS_PER_ORIGIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        for transfer in self._idle:
            transfer.close()
        self._idle.clear()
        self._multi.close()

    def _send_all(
        self,
        messages: Iterable[M],
        *,
        on_result: OnResult,
        on_progress: OnProgress | None,
        in_flight: int,
    ) -> None:
        if os.getpid() != self._pid:
            raise RuntimeError(f"a {type(self).__name__} cannot cross a fork: make one in each process")
        run = _Run(self, iter(messages), on_result, on_progress, in_flight)
        try:
            run.until_done()
        finally:
            run.abandon()
            self._forget_idle_origins()

    @abstractmethod
    def _origin_of(self, message: M) -> str:
        """Check where the message goes once more, as the last one who can, and return the origin; SendRefused."""

    @abstractmethod
    def _request_of(self, message: M, origin: str) -> Request:
        """Return what goes out, or raise SendRefused or NotNow."""

    def _verdict_of(self, message: M, *, status: int, headers: Mapping[str, str], body: bytes, now: float) -> Verdict:
        """Return what an answer with a final status means."""
        return classify(status=status, headers=headers, body=body, now=now)

    def _forget_idle_origins(self) -> None:
        if len(self._lanes) > _ORIGINS_KEPT:
            self._lanes = {
                origin: lane for origin, lane in self._lanes.items() if lane.failures or not lane.multiplexed
            }

    def _lane_of(self, message: M) -> Lane[M]:
        origin = self._origin_of(message)
        lane = self._lanes.get(origin)
        if lane is None:
            lane = self._lanes[origin] = Lane(origin)
        return lane

    def _take_transfer(self) -> Transfer[M]:
        if self._idle:
            return self._idle.pop()
        connect_timeout, total_timeout = self._timeouts
        return Transfer(ca_file=self._ca_file, connect_timeout=connect_timeout, total_timeout=total_timeout)

    def _connect_to(self, origin: str) -> str | None:
        """Return where the traffic of an origin goes instead, as libcurl's CONNECT_TO wants it."""
        host = origin.partition("://")[2].partition(":")[0]
        target = self._resolve.get(host)
        return None if target is None else f"::{target}"


class _Run(Generic[M]):
    """One call of `send`."""

    def __init__(
        self,
        sender: WireSender[M],
        source: Iterator[M],
        on_result: OnResult,
        on_progress: OnProgress | None,
        in_flight: int,
    ) -> None:
        self._sender = sender
        self._multi = sender._multi
        self._source: Iterator[M] | None = source
        self._on_result = on_result
        self._on_progress = on_progress
        self._in_flight = in_flight
        self._active: dict[pycurl.Curl, Transfer[M]] = {}
        self._waiting: dict[str, Lane[M]] = {}
        self._parked = 0
        self._told_at = time.monotonic()

    def until_done(self) -> None:
        while self._fill() or self._active or self._parked or self._source is not None:
            while self._multi.perform()[0] == pycurl.E_CALL_MULTI_PERFORM:
                pass
            finished = self._collect()
            self._tell_progress()
            if self._active and not finished:
                wait = self._multi.timeout()
                bound = _LONGEST_WAIT if wait < 0 else min(wait / 1000, _LONGEST_WAIT)
                if bound > 0:
                    self._multi.select(bound)

    def abandon(self) -> None:
        """Leave nothing of this call behind: an abandoned stream is reset, its connection stays."""
        for handle, transfer in self._active.items():
            self._multi.remove_handle(handle)
            transfer.lane.active -= 1
            transfer.close()
        self._active.clear()
        for lane in self._waiting.values():
            lane.waiting.clear()
        self._waiting.clear()

    # What goes out.

    def _fill(self) -> int:
        """Start up to _FILL_AT_ONCE messages: encrypting more of them would keep answers waiting."""
        started = read = 0
        total = self._in_flight * _TOTAL_IN_FLIGHT_FACTOR
        while started < _FILL_AT_ONCE and len(self._active) < total:
            lane = self._ready_lane()
            if lane is None:
                if read >= _READ_AT_ONCE or not self._read_one():
                    break
                read += 1
                continue
            self._parked -= 1
            message = lane.waiting.popleft()
            if lane.is_open(now=time.monotonic()):
                self._report(message, None, Verdict(Outcome.RETRY, "circuit_open"))
            elif self._start(message, lane, tries=1):
                started += 1
            self._tell_progress()
        return started

    def _ready_lane(self) -> Lane[M] | None:
        """Return a lane with something to do, taking them in turn."""
        now = time.monotonic()
        for origin in list(self._waiting):
            lane = self._waiting.pop(origin)
            if not lane.waiting:
                continue
            self._waiting[origin] = lane
            if lane.is_open(now=now) or lane.has_room(in_flight=self._in_flight):
                return lane
        return None

    def _read_one(self) -> bool:
        """Read one message into its lane; false when there is none or enough wait for busy origins."""
        if self._source is None or self._parked >= _PARKED_MAX:
            return False
        message = next(self._source, None)
        if message is None:
            self._source = None
            return False
        try:
            lane = self._sender._lane_of(message)
        except SendRefused as refusal:
            self._report(message, None, Verdict(Outcome.REFUSED, refusal.code))
            return True
        lane.waiting.append(message)
        self._waiting.setdefault(lane.origin, lane)
        self._parked += 1
        return True

    def _start(self, message: M, lane: Lane[M], *, tries: int) -> bool:
        """Put a message on the wire, or report at once why it may not go."""
        try:
            request = self._sender._request_of(message, lane.origin)
        except SendRefused as refusal:
            self._report(message, None, Verdict(Outcome.REFUSED, refusal.code))
            return False
        except NotNow as problem:
            self._report(message, None, problem.verdict)
            return False
        transfer = self._sender._take_transfer()
        connect_to = self._sender._connect_to(lane.origin)
        transfer.prepare(
            message=message,
            lane=lane,
            tries=tries,
            request=request,
            connect_to=connect_to,
            any_address=connect_to is not None or lane.origin in self._sender._dev_origins,
        )
        self._multi.add_handle(transfer.handle)
        self._active[transfer.handle] = transfer
        lane.active += 1
        return True

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
        message, lane = transfer.message, transfer.lane
        lane.active -= 1
        status = handle.getinfo(pycurl.RESPONSE_CODE)
        again = False
        if status >= 200:
            version = handle.getinfo(pycurl.INFO_HTTP_VERSION)
            lane.answered(multiplexed=version == pycurl.CURL_HTTP_VERSION_2_0)
            verdict = self._sender._verdict_of(
                message,
                status=status,
                headers=transfer.response_headers,
                body=bytes(transfer.response_body),
                now=self._sender._clock(),
            )
        else:
            status = None
            refused = lane.multiplexed and stream_refused(code=code, message=text)
            verdict = classify_error(
                code=code,
                body_taken=transfer.body_taken,
                private_address=transfer.private_address,
                refused=refused,
            )
            if refused:
                # Normal: push services end a connection after so many requests.
                again = transfer.tries < _REFUSED_STREAM_TRIES
            elif verdict.outcome is Outcome.RETRY or verdict.reason == READ_TIMEOUT:
                # A cut is one event for all the streams of its connection, so it does not count.
                lane.failed(now=time.monotonic())
        tries = transfer.tries
        transfer.release()
        self._sender._idle.append(transfer)
        if again:
            self._start(message, lane, tries=tries + 1)
        else:
            self._report(message, status, verdict)

    def _report(self, message: M, status: int | None, verdict: Verdict) -> None:
        self._on_result(
            SendResult(
                key=message.key,
                outcome=verdict.outcome,
                status=status,
                reason=verdict.reason,
                retry_after=verdict.retry_after,
                location=verdict.location,
            )
        )

    def _tell_progress(self) -> None:
        if self._on_progress is None:
            return
        now = time.monotonic()
        if now - self._told_at >= _PROGRESS_EVERY:
            self._told_at = now
            self._on_progress()
