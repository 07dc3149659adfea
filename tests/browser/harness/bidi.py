"""A raw WebDriver BiDi client: one websocket, driven in the background loop, with a synchronous face."""

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

import aiohttp

from .background import background
from .waiting import PATIENCE_SECONDS


class BidiError(Exception):
    """The browser refused a command, or the connection to it is gone."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class JavaScriptError(Exception):
    """Script run in the browser threw."""


class Bidi:
    """A connection to a browser's BiDi endpoint (`ws://.../session`) with one session on it."""

    def __init__(self, url: str) -> None:
        self._ids = itertools.count(1)
        self._pending: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._handlers: dict[str, list[Callable[[dict[str, Any]], None]]] = {}
        background.run(self._connect(url), timeout=PATIENCE_SECONDS)
        self.command("session.new", {"capabilities": {}}, timeout=PATIENCE_SECONDS)

    async def _connect(self, url: str) -> None:
        self._http = aiohttp.ClientSession()
        try:
            self._socket = await self._http.ws_connect(url, max_msg_size=0)
        except BaseException:
            await self._http.close()
            raise
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            data = json.loads(message.data)
            if data["type"] == "event":
                for handler in self._handlers.get(data["method"], []):
                    handler(data["params"])
            elif (waiting := self._pending.pop(data.get("id"), None)) and not waiting.done():
                if data["type"] == "success":
                    waiting.set_result(data["result"])
                else:
                    waiting.set_exception(BidiError(data["error"], data.get("message", "")))
        for waiting in self._pending.values():
            if not waiting.done():
                waiting.set_exception(BidiError("connection closed", "the browser is gone"))
        self._pending.clear()

    def command(
        self, method: str, params: dict[str, Any] | None = None, *, timeout: float = PATIENCE_SECONDS
    ) -> dict[str, Any]:
        """Send a command and return its result; BidiError on refusal or after `timeout` seconds."""
        try:
            return background.run(self._command(method, params or {}), timeout=timeout)
        except TimeoutError:
            raise BidiError("timeout", f"{method} not answered within {timeout:g} s") from None

    async def _command(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if self._socket.closed:
            raise BidiError("connection closed", f"before {method}")
        number = next(self._ids)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        try:
            await self._socket.send_json({"id": number, "method": method, "params": params})
            return await answer
        finally:
            self._pending.pop(number, None)

    def subscribe(self, event: str, handler: Callable[[dict[str, Any]], None]) -> None:
        """Call `handler` (in the background loop, so it must be quick) with every such event's params."""
        self._handlers.setdefault(event, []).append(handler)
        self.command("session.subscribe", {"events": [event]})

    def close(self) -> None:
        """Close the websocket; the browser itself goes on."""
        background.run(self._close(), timeout=PATIENCE_SECONDS)

    async def _close(self) -> None:
        await self._socket.close()
        await self._reading
        await self._http.close()


def evaluation(result: dict[str, Any]) -> Any:
    """Turn the result of `script.evaluate` or `script.callFunction` into a Python value."""
    if result["type"] == "exception":
        details = result["exceptionDetails"]
        frames = details.get("stackTrace", {}).get("callFrames", [])
        where = "".join(f"\n    at {f['functionName']} {f['url']}:{f['lineNumber']}" for f in frames[:6])
        raise JavaScriptError(details["text"] + where)
    return python_value(result["result"])


def python_value(remote: dict[str, Any]) -> Any:
    """Turn a BiDi remote value into a Python one; nodes, functions and the like stay dicts."""
    kind, value = remote["type"], remote.get("value")
    if kind in ("undefined", "null"):
        return None
    if kind == "number" and isinstance(value, str):
        return float(value.replace("Infinity", "inf"))
    if kind == "bigint":
        return int(str(value))
    if kind in ("array", "set") and isinstance(value, list):
        return [python_value(item) for item in value]
    if kind in ("object", "map") and isinstance(value, list):
        return {k if isinstance(k, str) else str(python_value(k)): python_value(v) for k, v in value}
    if kind in ("string", "number", "boolean", "date"):
        return value
    return remote
