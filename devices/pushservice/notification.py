"""The one document that both sides of the service write: a message on its way to a browser."""

from typing import Any

from devices.pushservice.messages import Message
from devices.pushservice.state import Connection
from devices.pushservice.subscribers import b64url_encode


async def send_notification(connection: Connection, message: Message) -> None:
    """Send a stored message to its browser; it stays stored until acknowledged."""
    subscription = message.subscription
    if subscription is None:
        return
    document: dict[str, Any] = {
        "messageType": "notification",
        "channelID": subscription.channel_id,
        "version": message.version,
        "ttl": message.ttl,
    }
    if message.topic is not None:
        document["topic"] = message.topic
    if message.body:
        document["data"] = b64url_encode(message.body)
        document["headers"] = {"encoding": "aes128gcm"}
    message.state = "sent"
    try:
        await connection.send_json(document)
    except ConnectionError:
        # Closed under our hands: unless something else became of it meanwhile, it waits for the next hello.
        if message.state == "sent":
            message.state = "stored"
