"""Send a push by the server API."""

from tests.api.server.client import Server


def body(push: str, **fields) -> dict:
    return {"external_id": "ann", "push": push, "data": {"order": "7"}} | fields


def send(server: Server, push: str, key: str = "k1", *, expect: int = 202, **fields) -> dict:
    return server.call("POST", "push", body(push, **fields), expect=expect, Idempotency_Key=key)
