"""Every message that the service took, in arrival order, and the long poll over them."""

import asyncio
import base64
import json
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal

from devices.pushservice.subscribers import CannotDecrypt, Subscription, b64url_encode, decrypt

# A load test takes tens of thousands; the oldest fall off so that a service left running stays small.
LOG_LIMIT = 200_000

MessageKind = Literal["webpush", "fcm"]
# received: by a simulated, external or native subscriber; the others tell what became of a browser's message.
MessageState = Literal["received", "stored", "sent", "acked", "replaced", "expired", "dropped", "revoked"]


@dataclass(slots=True)
class Message:
    """One message as it arrived; times are Unix seconds."""

    seq: int
    kind: MessageKind
    token: str
    received_at: float
    ttl: int | None
    urgency: str | None
    topic: str | None
    headers: dict[str, str]
    body: bytes
    state: MessageState = "received"
    version: str = ""
    ack_code: int | None = None
    vapid_key: bytes | None = None
    subscription: Subscription | None = None
    fcm_message: dict[str, Any] | None = None
    opened: tuple[str | None, str | None] | None = None

    def as_json(self, *, may_decrypt: bool) -> dict[str, Any]:
        """Describe the message for a control answer, decrypted where we hold the keys."""
        plaintext, decrypt_error = self._open(may_decrypt=may_decrypt)
        return {
            "seq": self.seq,
            "kind": self.kind,
            "token": self.token,
            "topic": self.topic,
            "ttl": self.ttl,
            "urgency": self.urgency,
            "headers": self.headers,
            "received_at": self.received_at,
            "state": self.state,
            "version": self.version,
            "ack_code": self.ack_code,
            "vapid_key": b64url_encode(self.vapid_key) if self.vapid_key else None,
            "plaintext": plaintext,
            "decrypt_error": decrypt_error,
            "body_b64": base64.b64encode(self.body).decode(),
            "message": self.fcm_message,
        }

    def _open(self, *, may_decrypt: bool) -> tuple[str | None, str | None]:
        """Decrypt on first reading rather than on arrival: a load test that never looks pays nothing."""
        if self.opened is None:
            self.opened = self._decrypted(may_decrypt=may_decrypt)
        return self.opened

    def _decrypted(self, *, may_decrypt: bool) -> tuple[str | None, str | None]:
        if self.kind == "fcm":
            return json.dumps(self.fcm_message, ensure_ascii=False), None
        if not may_decrypt:
            return None, "decryption is switched off"
        if not self.body:
            return None, None
        subscription = self.subscription
        if subscription is None or subscription.private_key is None or subscription.auth is None:
            return None, "the keys of this subscription are held elsewhere"
        try:
            return (
                decrypt(body=self.body, private_key=subscription.private_key, auth=subscription.auth).decode(),
                None,
            )
        except (CannotDecrypt, UnicodeDecodeError) as error:
            return None, str(error)


class MessageLog:
    """The messages in arrival order; `seq` grows for the life of the process, also over a clear."""

    def __init__(self) -> None:
        """Start empty, with the first message to come numbered 1."""
        self._messages: deque[Message] = deque(maxlen=LOG_LIMIT)
        self._arrived = asyncio.Event()
        self.last_seq = 0

    def append(self, message: Message) -> None:
        """Number the message, keep it, and wake who waits."""
        self.last_seq += 1
        message.seq = self.last_seq
        self._messages.append(message)
        arrived, self._arrived = self._arrived, asyncio.Event()
        arrived.set()

    def clear(self) -> None:
        """Forget every message."""
        self._messages.clear()

    def select(self, *, after: int, token: str | None, limit: int) -> list[Message]:
        """Return at most `limit` messages numbered above `after`, of one token if given."""
        if not self._messages:
            return []
        start = max(after + 1 - self._messages[0].seq, 0)
        tail = islice(self._messages, start, None)
        return list(islice((one for one in tail if token is None or one.token == token), limit))

    async def wait_for(self, *, after: int, token: str | None, limit: int, at_least: int, wait: float) -> list[Message]:
        """Return the messages above `after`, once there are `at_least` or `wait` seconds have passed."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while True:
            arrived = self._arrived
            found = self.select(after=after, token=token, limit=limit)
            left = deadline - loop.time()
            if len(found) >= min(at_least, limit) or left <= 0:
                return found
            try:
                await asyncio.wait_for(arrived.wait(), left)
            except TimeoutError:
                return self.select(after=after, token=token, limit=limit)
