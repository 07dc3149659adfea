"""Simulated visitors: each speaks the SDK's HTTP API as a browser would, with a subscription of its own."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp

ASK = {"status": "ask", "reason": "", "permission": "default", "subscription": None}
AT_ONCE = 16
_BATCH = 100
_BROWSERS = (
    ("chrome", "156.0", "windows", "desktop"),
    ("firefox", "153.0", "linux", "desktop"),
    ("edge", "156.0", "windows", "desktop"),
    ("samsung", "31.0", "android", "mobile"),
    ("chrome", "156.0", "android", "mobile"),
)
_ZONES = ("Europe/Athens", "Europe/Lisbon", "America/New_York", "Asia/Kolkata", "Australia/Sydney")
_NAMES = ("Ann", "Bo", "Chidi", "Dora", "Emil", "Fatma", "Gus", "Hana", "Ivo", "June")


@dataclass(frozen=True, slots=True)
class Plan:
    """What visitor number `n` answers to the popup; the shares add up to 20."""

    answers: tuple[str, ...] = ("allowed",) * 14 + ("blocked",) * 2 + ("later",) * 2 + ("closed", "dismissed")

    def answer(self, number: int) -> str:
        return self.answers[number % len(self.answers)]

    def expected(self, count: int) -> Counter[str]:
        """How many of each answer `count` visitors give."""
        return Counter(self.answer(number) for number in range(count))


@dataclass(slots=True)
class Told:
    """What the visitors saw, counted on their side: what the server's own counts are compared with."""

    sessions: int = 0
    popups: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    displayed: int = 0
    clicked: int = 0
    errors: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Shop:
    """The server, the brand's key and the shop's origin, as the visitors' pages know them."""

    host: str
    brand_key: str
    origin: str
    vapid_key: str


def device_of(number: int) -> dict[str, str]:
    """The browser of visitor `number`."""
    browser, version, system, form = _BROWSERS[number % len(_BROWSERS)]
    return {
        "browser": browser,
        "browser_version": version,
        "os": system,
        "form_factor": form,
        "language": "en",
        "time_zone": _ZONES[number % len(_ZONES)],
        "user_agent": f"demo visitor {number}",
    }


def external_id_of(number: int) -> str:
    """The shop's own id of visitor `number`."""
    return f"demo-{number:04d}"


def first_name_of(number: int) -> str:
    """What the shop knows visitor `number` by."""
    return _NAMES[number % len(_NAMES)]


def _report_token(message: dict[str, Any]) -> str:
    """The proof of reports about a message that arrived at a browser, or at a phone."""
    if message["kind"] == "fcm":
        return str(message["message"]["data"]["smartpush_report_token"])
    return str(json.loads(message["plaintext"])["smartpush"]["report"]["token"])


class Crowd:
    """A number of visitors who come once, answer the popup, and whose browsers report the pushes they show."""

    def __init__(self, *, shop: Shop, push_url: str, subscriptions: Sequence[dict[str, str]], plan: Plan) -> None:
        self.shop = shop
        self.push_url = push_url
        self.subscriptions = subscriptions
        self.plan = plan
        self.told = Told()
        self._seen = 0

    async def come(self, *, visitors: Sequence[int]) -> None:
        """These visitors open the shop and answer what they are shown."""
        numbers = iter(visitors)
        connector = aiohttp.TCPConnector(limit=AT_ONCE)
        async with aiohttp.ClientSession(connector=connector) as http:
            await asyncio.gather(*(self._keep_visiting(http, numbers) for _ in range(AT_ONCE)))

    async def _keep_visiting(self, http: aiohttp.ClientSession, numbers: Any) -> None:
        for number in numbers:
            await self._visit(http, number)

    async def _visit(self, http: aiohttp.ClientSession, number: int) -> None:
        tab = f"tab-{number}"
        session = await self._post(
            http,
            "session",
            {
                "installation": None,
                "external_id": external_id_of(number),
                "language": "en",
                "properties": {"first_name": first_name_of(number)},
                "push": ASK,
                "device": device_of(number),
                "tab": tab,
            },
        )
        if session is None:
            return
        self.told.sessions += 1
        offer = session["popup"]
        if offer is None:
            return
        base = {"installation": session["installation"], "tab": tab, "offer": offer["id"]}
        if await self._post(http, "popups/shown", base) is None:
            return
        self.told.popups += 1
        answer = self.plan.answer(number)
        body: dict[str, Any] = {**base, "outcome": answer}
        if answer == "allowed":
            keys = self.subscriptions[number]
            body["push"] = {
                "status": "allowed",
                "permission": "granted",
                "subscription": {
                    "endpoint": keys["endpoint"],
                    "p256dh": keys["p256dh"],
                    "auth": keys["auth"],
                    "vapid_key": self.shop.vapid_key,
                },
            }
        elif answer == "blocked":
            body["push"] = {"status": "blocked", "permission": "denied", "subscription": None}
        if await self._post(http, "popups/outcome", body) is not None:
            self.told.answers[answer] += 1

    async def _post(self, http: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> Any:
        """As the SDK does: a server that says it is busy is asked again."""
        headers = {"X-Smartpush-Key": self.shop.brand_key, "Origin": self.shop.origin}
        for wait in (0.2, 1.0, 3.0, None):
            async with http.post(f"{self.shop.host}/api/v1/sdk/{path}", json=body, headers=headers) as answer:
                if answer.status == 200:
                    return await answer.json()
                if answer.status != 503 or wait is None:
                    self.told.errors[f"{path} {answer.status}"] += 1
                    return None
            await asyncio.sleep(wait)
        return None

    async def show(self, *, expected: int, seconds: float) -> int:
        """Their browsers show what arrives, until `expected` messages came or the time is over; a fifth is clicked."""
        deadline = time.monotonic() + seconds
        shown = 0
        async with aiohttp.ClientSession() as http:
            while shown < expected and time.monotonic() < deadline:
                messages = await self._messages(http)
                reports = []
                for message in messages:
                    self._seen = max(self._seen, message["seq"])
                    at = datetime.now(UTC).isoformat()
                    token = _report_token(message)
                    reports.append({"token": token, "kind": "displayed", "at": at})
                    shown += 1
                    self.told.displayed += 1
                    if shown % 5 == 0:
                        reports.append({"token": token, "kind": "clicked", "at": at})
                        self.told.clicked += 1
                for start in range(0, len(reports), _BATCH):
                    await self._post(http, "reports", {"reports": reports[start : start + _BATCH]})
        return shown

    async def _messages(self, http: aiohttp.ClientSession) -> list[dict[str, Any]]:
        url = f"{self.push_url}/control/messages"
        async with http.get(url, params={"after": str(self._seen), "wait": "1"}) as answer:
            found: list[dict[str, Any]] = await answer.json()
        return found
