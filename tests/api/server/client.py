"""A brand's own server, as ours sees it: the calls of the server API over Django's test client."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from devices.brands.services.api_keys import api_key_create
from devices.models import ApiKey, Brand
from tests.api.page import CLIENT, error_of

BASE = "/api/v1/server/"


@dataclass
class Server:
    """One server with one key."""

    brand: Brand
    scopes: list[str] = field(default_factory=lambda: list(ApiKey.Scope.values))
    secret: str = ""

    def __post_init__(self) -> None:
        if not self.secret:
            self.key, self.secret = api_key_create(brand=self.brand, name="Shop", scopes=self.scopes, by=None)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One call; `body` is sent as it is when it is bytes."""
        sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        told = {"Authorization": f"Bearer {self.secret}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return CLIENT.generic(
            method, BASE + path, sent, content_type="application/json", headers={k: v for k, v in told.items() if v}
        )

    def call(self, method: str, path: str, body: Any = None, *, expect: int = 200, **headers: str) -> Any:
        """The JSON of an answer with this status; of an error, what is inside."""
        response = self.send(method, path, body, **headers)
        assert response.status_code == expect, response.content
        return response.json() if expect < 300 else error_of(response)

    def users(self, *rows: dict[str, Any]) -> Any:
        return self.call("POST", "users/bulk", {"users": list(rows)})

    def events(self, *rows: dict[str, Any], **options: Any) -> Any:
        return self.call("POST", "events/bulk", {"events": list(rows), **options})


def event(external_id: str = "ann", name: str = "deposit", **fields: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "external_id": external_id, "name": name} | fields


def now() -> datetime:
    return datetime.now(UTC)
