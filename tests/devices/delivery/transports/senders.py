"""A wire that sends one list of messages and ends, as tests and benchmarks want it."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from devices.delivery.transports.base import WebMessage
from devices.delivery.transports.contract import OnResult, Transport
from devices.delivery.transports.fcm.transport import Fcm, FcmMessage
from devices.delivery.transports.vapid import VapidKeyPair
from devices.delivery.transports.webpush import WebPush
from devices.delivery.transports.wire import IN_FLIGHT, Wire

READ_AT_ONCE = 128
PARKED_MOST = 4096
TOLD_EVERY = 0.5


class _Sender:
    def __init__(self, transport: Transport[Any], wire: Wire) -> None:
        self.transport = transport
        self.wire = wire

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        self.wire.close()

    def _send_all(
        self,
        messages: Iterable[Any],
        *,
        on_result: OnResult,
        on_progress: Callable[[], None] | None,
        in_flight: int,
    ) -> None:
        self.wire.in_flight = in_flight
        source, told, open_, parked = iter(messages), time.monotonic(), True, 0

        def count(result: Any) -> None:
            nonlocal parked
            parked -= 1
            on_result(result)

        try:
            while open_ or self.wire.busy:
                for _ in range(READ_AT_ONCE):
                    if not open_ or parked >= PARKED_MOST or not self.wire.hungry:
                        break
                    message = next(source, None)
                    if message is None:
                        open_ = False
                        break
                    parked += 1
                    self.wire.put(message, transport=self.transport, on_result=count, owner=self)
                self.wire.step(0.25)
                if on_progress is not None and time.monotonic() - told >= TOLD_EVERY:
                    told = time.monotonic()
                    on_progress()
        finally:
            self.wire.abandon(self)


class WebPushSender(_Sender):
    def __init__(self, *, dev_origins=frozenset(), extra_hosts=frozenset(), clock=time.time, **options) -> None:
        self.web = WebPush(dev_origins=dev_origins, extra_hosts=extra_hosts, clock=clock)
        super().__init__(self.web, Wire(dev_origins=dev_origins, **options))

    def send(
        self,
        messages: Iterable[WebMessage],
        *,
        vapid: Mapping[int, VapidKeyPair],
        on_result: OnResult,
        on_progress: Callable[[], None] | None = None,
        in_flight: int = IN_FLIGHT,
    ) -> None:
        self.web.keys_add(vapid)
        self._send_all(messages, on_result=on_result, on_progress=on_progress, in_flight=in_flight)


class FcmSender(_Sender):
    def __init__(self, *, dev_origins=frozenset(), clock=time.time, **options) -> None:
        self.fcm = Fcm(dev_origins=dev_origins, clock=clock)
        super().__init__(self.fcm, Wire(dev_origins=dev_origins, **options))

    def close(self) -> None:
        super().close()
        self.fcm.close()

    def send(
        self,
        messages: Iterable[FcmMessage],
        *,
        on_result: OnResult,
        on_progress: Callable[[], None] | None = None,
        in_flight: int = IN_FLIGHT,
    ) -> None:
        self._send_all(messages, on_result=on_result, on_progress=on_progress, in_flight=in_flight)
