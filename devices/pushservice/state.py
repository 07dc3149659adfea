"""All that the service knows. It belongs to one event loop: only code on that loop touches it."""

import secrets
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from devices.pushservice.failures import FailureBook, Surface
from devices.pushservice.messages import Message, MessageLog
from devices.pushservice.subscribers import Subscription, new_token, simulated_subscription


class CannotSubscribe(Exception):
    """The token that was asked for is taken."""


class Connection(Protocol):
    """What the state needs of a browser's websocket."""

    async def send_json(self, data: Any) -> None:
        """Send one autopush message."""

    async def close(self, *, code: int = 1000, message: bytes = b"") -> bool:
        """Close the socket."""


@dataclass(slots=True)
class Browser:
    """One user agent: its channels by id, and by version the messages that it has not acknowledged."""

    uaid: str
    connection: Connection | None = None
    channels: dict[str, Subscription] = field(default_factory=dict)
    waiting: dict[str, Message] = field(default_factory=dict)


class PushState:
    """Subscriptions, browsers, native tokens, messages, failures and counts; `clock` gives Unix seconds."""

    def __init__(self, *, decrypt: bool, clock: Callable[[], float]) -> None:
        """Start empty."""
        self.decrypt = decrypt
        self.clock = clock
        self.log = MessageLog()
        self.failures = FailureBook(clock=clock)
        self.subscriptions: dict[str, Subscription] = {}
        self.browsers: dict[str, Browser] = {}
        self.fcm_tokens: dict[str, bool] = {}
        self.accepted: Counter[str] = Counter()
        self.rejected: dict[str, Counter[str]] = {"webpush": Counter(), "fcm": Counter(), "oauth": Counter()}
        self.cut: Counter[str] = Counter()

    def simulate(self, *, count: int, application_server_key: bytes) -> list[Subscription]:
        """Make `count` subscriptions with key pairs of ours."""
        made = [simulated_subscription(application_server_key=application_server_key) for _ in range(count)]
        self.subscriptions.update((one.token, one) for one in made)
        return made

    def add_external(
        self, *, application_server_key: bytes, token: str | None, p256dh: bytes | None, auth: bytes | None
    ) -> Subscription:
        """Make a subscription for keys held elsewhere; raises CannotSubscribe when the token is taken."""
        token = token or new_token()
        if token in self.subscriptions:
            raise CannotSubscribe(f"the token {token} is taken")
        made = Subscription(
            token=token,
            kind="external",
            application_server_key=application_server_key,
            p256dh=p256dh,
            auth=auth,
        )
        self.subscriptions[token] = made
        return made

    def add_fcm_tokens(self, *, count: int) -> list[str]:
        """Register `count` native tokens, shaped like FCM's."""
        made = [f"{secrets.token_urlsafe(16)}:APA91b{secrets.token_urlsafe(99)}" for _ in range(count)]
        self.fcm_tokens.update(dict.fromkeys(made, True))
        return made

    def greet(self, *, uaid: str | None) -> Browser:
        """Return the browser of that id, or a new one with a new id when it is unknown."""
        known = self.browsers.get(uaid) if uaid else None
        if known is not None:
            return known
        browser = Browser(uaid=uuid.uuid4().hex)
        self.browsers[browser.uaid] = browser
        return browser

    def register(self, *, browser: Browser, channel_id: str, key: bytes | None) -> Subscription:
        """Subscribe a channel; the same channel and key keep their token, another key revokes it."""
        known = browser.channels.get(channel_id)
        if known is not None and known.application_server_key == key:
            return known
        if known is not None:
            self.revoke(token=known.token)
        made = Subscription(
            token=new_token(),
            kind="browser",
            application_server_key=key,
            uaid=browser.uaid,
            channel_id=channel_id,
        )
        browser.channels[channel_id] = made
        self.subscriptions[made.token] = made
        return made

    def revoke(self, *, token: str) -> bool:
        """Make a web or native token answer as gone from now on; False when there is no such token."""
        if token in self.fcm_tokens:
            self.fcm_tokens[token] = False
            return True
        subscription = self.subscriptions.get(token)
        if subscription is None:
            return False
        subscription.gone = True
        browser = self.browsers.get(subscription.uaid or "")
        if browser is not None and subscription.channel_id is not None:
            browser.channels.pop(subscription.channel_id, None)
            for version in [v for v, one in browser.waiting.items() if one.token == token]:
                browser.waiting.pop(version).state = "revoked"
        return True

    def accept(self, message: Message) -> Connection | None:
        """Keep an accepted message; returns the socket to send it on when its browser is connected.

        A stored message of the same topic is replaced (RFC 8030, section 5.4); TTL 0 with nobody connected
        is dropped (section 5.2).
        """
        self.accepted[message.kind] += 1
        self.log.append(message)
        subscription = message.subscription
        browser = self.browsers.get(subscription.uaid or "") if subscription is not None else None
        if browser is None:
            return None
        message.version = secrets.token_urlsafe(24)
        if message.topic is not None:
            for version, older in list(browser.waiting.items()):
                if older.token == message.token and older.topic == message.topic:
                    del browser.waiting[version]
                    older.state = "replaced"
        if browser.connection is None and not message.ttl:
            message.state = "dropped"
            return None
        message.state = "stored"
        browser.waiting[message.version] = message
        return browser.connection

    def waiting_for(self, *, browser: Browser) -> list[Message]:
        """Return the browser's unacknowledged messages, oldest first, after dropping the expired ones."""
        now = self.clock()
        for version, message in list(browser.waiting.items()):
            if message.received_at + (message.ttl or 0) <= now:
                del browser.waiting[version]
                message.state = "expired"
        return list(browser.waiting.values())

    def acknowledge(self, *, browser: Browser, version: str, code: int | None) -> None:
        """Drop a message that the browser has taken, and note the code that it gave."""
        message = browser.waiting.pop(version, None)
        if message is not None:
            message.state = "acked"
            message.ack_code = code

    def reject(self, *, surface: Surface, reason: str) -> None:
        """Count a refused request under its status or error code."""
        self.rejected[surface][reason] += 1

    def reset(self, *, keep_subscriptions: bool) -> list[Connection]:
        """Forget messages, failures and counts, and unless told to keep them every subscription and browser.

        Returns the sockets of forgotten browsers: closed, they come back and are told a new id.
        """
        self.log.clear()
        self.failures.switch_off()
        self.accepted.clear()
        self.cut.clear()
        for counter in self.rejected.values():
            counter.clear()
        if keep_subscriptions:
            for browser in self.browsers.values():
                browser.waiting.clear()
            return []
        sockets = self.connections()
        self.subscriptions.clear()
        self.browsers.clear()
        self.fcm_tokens.clear()
        return sockets

    def connections(self) -> list[Connection]:
        """Return the sockets of the connected browsers."""
        return [one.connection for one in self.browsers.values() if one.connection is not None]

    def as_json(self) -> dict[str, Any]:
        """Describe the state in counts."""
        kinds = Counter(one.kind for one in self.subscriptions.values() if not one.gone)
        return {
            "subscriptions": {
                **{kind: kinds[kind] for kind in ("simulated", "external", "browser")},
                "gone": sum(one.gone for one in self.subscriptions.values()),
            },
            "fcm_tokens": {
                "registered": sum(self.fcm_tokens.values()),
                "gone": len(self.fcm_tokens) - sum(self.fcm_tokens.values()),
            },
            "browsers": {"known": len(self.browsers), "connected": len(self.connections())},
            "waiting": sum(len(self.waiting_for(browser=one)) for one in self.browsers.values()),
            "accepted": {kind: self.accepted[kind] for kind in ("webpush", "fcm")},
            "rejected": {surface: dict(counter) for surface, counter in self.rejected.items()},
            "cut": {kind: self.cut[kind] for kind in ("webpush", "fcm")},
            "failures": self.failures.as_json(),
            "last_seq": self.log.last_seq,
        }
