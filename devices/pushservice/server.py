"""The service as a program, and in a background thread for tests."""

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web

from devices.pushservice.autopush import Autopush
from devices.pushservice.control import DEFAULT_PAGE, Control, guard
from devices.pushservice.failures import ALL, read_failure
from devices.pushservice.fcm import Fcm
from devices.pushservice.state import PushState
from devices.pushservice.subscribers import b64url_encode, read_public_key
from devices.pushservice.webpush import WebPush

MAX_REQUEST_BYTES = 1024 * 1024
SHUTDOWN_SECONDS = 1.0
START_SECONDS = 60.0

Result = TypeVar("Result")


def make_app(
    *, state: PushState | None = None, decrypt: bool = True, clock: Callable[[], float] = time.time
) -> web.Application:
    """Build the application over a state, or over an empty one; `clock` gives Unix seconds."""
    state = state or PushState(decrypt=decrypt, clock=clock)
    app = web.Application(client_max_size=MAX_REQUEST_BYTES, middlewares=[guard])
    autopush = Autopush(state=state)
    for part in (WebPush(state=state), autopush, Fcm(state=state), Control(state=state)):
        app.add_routes(part.routes())
    app.on_shutdown.append(autopush.close_all)
    return app


async def serve(*, state: PushState, host: str, port: int, ready: Callable[[str], None], stop: asyncio.Event) -> None:
    """Serve until `stop` is set; `ready` is told the URL once connections are taken (port 0: any)."""
    runner = web.AppRunner(make_app(state=state), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        bound = runner.addresses[0][1]
        ready(f"http://{f'[{host}]' if ':' in host else host}:{bound}")
        await stop.wait()
    finally:
        await runner.cleanup()


def run(*, host: str, port: int, decrypt: bool, ready: Callable[[str], None]) -> None:
    """Serve in this thread until SIGINT or SIGTERM; raises OSError when the address cannot be taken."""

    async def until_signalled() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        state = PushState(decrypt=decrypt, clock=time.time)
        await serve(state=state, host=host, port=port, ready=ready, stop=stop)

    asyncio.run(until_signalled())


class LocalPushService:
    """The service in a background thread: `with LocalPushService() as service: ...`.

    The helpers do what the control calls do, in the service's own loop, so they are safe from any thread.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        decrypt: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take the address to serve at; nothing starts before the `with`."""
        self.url = ""
        self._host, self._port = host, port
        self._decrypt, self._clock = decrypt, clock
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stop: asyncio.Event
        self._state: PushState

    @property
    def websocket_url(self) -> str:
        """The value for Firefox's `dom.push.serverURL`."""
        return f"ws{self.url.removeprefix('http')}/"

    def __enter__(self) -> Self:
        """Start, and return once connections are taken; raises OSError when the address cannot be."""
        started: Future[str] = Future()
        self._thread = threading.Thread(target=self._run, args=(started,), name="local-push-service", daemon=True)
        self._thread.start()
        self.url = started.result(timeout=START_SECONDS)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop, and wait until the port is free again."""
        self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(timeout=START_SECONDS)

    def subscriptions(self, count: int, application_server_key: str) -> list[dict[str, str]]:
        """Make simulated subscriptions: [{token, endpoint, p256dh, auth}]."""
        key = read_public_key(application_server_key)

        async def simulate() -> list[dict[str, str]]:
            made = self._state.simulate(count=count, application_server_key=key)
            return [
                {
                    "token": one.token,
                    "endpoint": f"{self.url}/wpush/v2/{one.token}",
                    "p256dh": b64url_encode(one.p256dh or b""),
                    "auth": b64url_encode(one.auth or b""),
                }
                for one in made
            ]

        return self._call(simulate())

    def fcm_tokens(self, count: int) -> list[str]:
        """Register native tokens."""

        async def add() -> list[str]:
            return self._state.add_fcm_tokens(count=count)

        return self._call(add())

    def revoke(self, token: str) -> bool:
        """Make a web or native token gone; False when there is no such token."""

        async def revoke() -> bool:
            return self._state.revoke(token=token)

        return self._call(revoke())

    def fail(self, mode: str | int, *, token: str = ALL, **fields: Any) -> None:
        """Switch a failure on, with the fields of the control call: retry_after, delay, times, cut, body."""
        failure = read_failure({"mode": mode, **fields})

        async def switch() -> None:
            self._state.failures.switch_on(token=token, failure=failure)

        self._call(switch())

    def clear_failures(self, *, token: str | None = None) -> None:
        """Let one token, or everything, work again."""

        async def switch() -> None:
            self._state.failures.switch_off(token=token)

        self._call(switch())

    def messages(
        self,
        *,
        after: int = 0,
        wait: float = 0.0,
        token: str | None = None,
        at_least: int = 1,
        limit: int = DEFAULT_PAGE,
    ) -> list[dict[str, Any]]:
        """Return messages numbered above `after`, waiting up to `wait` seconds for `at_least` of them."""

        async def read() -> list[dict[str, Any]]:
            found = await self._state.log.wait_for(after=after, token=token, limit=limit, at_least=at_least, wait=wait)
            return [one.as_json(may_decrypt=self._state.decrypt) for one in found]

        return self._call(read())

    def state(self) -> dict[str, Any]:
        """Return the counts."""

        async def describe() -> dict[str, Any]:
            return self._state.as_json()

        return self._call(describe())

    def reset(self, *, keep_subscriptions: bool = False) -> None:
        """Forget everything, or only messages, failures and counts."""

        async def reset() -> None:
            for socket in self._state.reset(keep_subscriptions=keep_subscriptions):
                await socket.close(message=b"reset")

        self._call(reset())

    def _call(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _run(self, started: "Future[str]") -> None:
        try:
            asyncio.run(self._main(started))
        except OSError as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _main(self, started: "Future[str]") -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._state = PushState(decrypt=self._decrypt, clock=self._clock)
        await serve(state=self._state, host=self._host, port=self._port, ready=started.set_result, stop=self._stop)
